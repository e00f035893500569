//! Key ids that the issuer does not have.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_thousand_random_kids_cost_one_fetch_in_each_cooldown() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    let begin = Instant::now();
    for kid in 0..1_000 {
        keyring.requests().refresh(&idp.settings(), Some(&kid.to_string())).await;
        advance(Duration::from_millis(250)).await;
    }
    let cooldowns = begin.elapsed().as_secs() / COOLDOWN.as_secs();
    let fetches = idp.hits(JWKS) as u64;
    assert!((2..=1 + cooldowns).contains(&fetches), "{fetches} fetches in {cooldowns} cool-downs");
}

#[tokio::test(start_paused = true)]
async fn who_repeats_an_unknown_kid_leaves_the_refreshes_to_others() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    let requests = keyring.requests();
    let settings = idp.settings();
    for (cooldowns, hits) in [(1, 2), (1, 3), (1, 3), (1, 4), (3, 4), (1, 5)] {
        advance(COOLDOWN * cooldowns).await;
        let begin = Instant::now();
        requests.refresh(&settings, Some("stuck")).await;
        assert_eq!((idp.hits(JWKS), begin.elapsed()), (hits, Duration::ZERO));
    }
    // Who comes with another one need not wait for what the stuck one may do.
    advance(COOLDOWN).await;
    idp.answer(JWKS, Answer::Text(KEYS.replace("one", "new")));
    requests.refresh(&settings, Some("stuck")).await;
    assert_eq!(idp.hits(JWKS), 5);
    requests.refresh(&settings, Some("new")).await;
    assert_eq!((idp.hits(JWKS), kids(&keyring, &settings)), (6, vec!["new".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_new_kid_waits_for_the_rest_of_a_cooldown_that_is_nearly_over() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    idp.answer(JWKS, Answer::Text(KEYS.replace("one", "new")));
    let ask = async || {
        let begin = Instant::now();
        keyring.requests().refresh(&idp.settings(), Some("new")).await;
        (idp.hits(JWKS), begin.elapsed().as_secs())
    };
    advance(Duration::from_secs(26)).await;
    assert_eq!(ask().await, (1, 0));
    advance(Duration::from_secs(2)).await;
    assert_eq!(ask().await, (2, 2));
    assert_eq!(kids(&keyring, &idp.settings()), ["new"]);
}

#[tokio::test(start_paused = true)]
async fn a_kid_that_is_known_to_be_unknown_waits_for_no_fetch() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    let requests = keyring.requests();
    for _ in 0..2 {
        advance(COOLDOWN).await;
        requests.refresh(&idp.settings(), Some("stuck")).await;
        next(&mut outcomes).await.unwrap();
    }
    idp.answer(JWKS, Answer::Hang);
    advance(COOLDOWN).await;
    let (asking, settings) = (requests.clone(), idp.settings());
    let other = tokio::spawn(async move { asking.refresh(&settings, Some("new")).await });
    tokio::task::yield_now().await;
    let begin = Instant::now();
    requests.refresh(&idp.settings(), Some("stuck")).await;
    assert_eq!(begin.elapsed(), Duration::ZERO);
    other.await.unwrap();
    assert_eq!(begin.elapsed().as_secs(), 5);
}
