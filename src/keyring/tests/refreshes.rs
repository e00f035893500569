//! When keys are fetched, who waits for it, and for how long.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_failed_first_fetch_is_retried_after_a_second_and_then_ever_later() {
    let idp = Idp::start().await;
    idp.answer(JWKS, Answer::Status404);
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap_err();
    let mut last = Instant::now();
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        // Who asks meanwhile is answered at once, and brings nothing forward.
        keyring.requests().refresh(&idp.settings(), None).await;
        assert_eq!(last, Instant::now());
        next(&mut outcomes).await.unwrap_err();
        let pause = last.elapsed().as_secs_f64() / f64::from(seconds);
        assert!((0.89..1.01).contains(&pause), "{pause} of {seconds} s");
        last = Instant::now();
    }
    assert_eq!(keyring.missing().len(), 1);
    idp.answer(JWKS, Answer::Text(KEYS.to_owned()));
    next(&mut outcomes).await.unwrap();
    assert_eq!(keyring.missing(), []);
}

#[tokio::test(start_paused = true)]
async fn all_who_ask_are_served_by_one_fetch_in_each_cooldown() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    for fetches in 1..=3 {
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..1_000 {
            let (requests, settings) = (keyring.requests(), idp.settings());
            asking.spawn(async move { requests.refresh(&settings, None).await });
        }
        asking.join_all().await;
        assert_eq!(idp.hits(JWKS), fetches);
        advance(COOLDOWN).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_returns_with_the_newer_keys_in_place() {
    let idp = Idp::start().await;
    idp.answer(JWKS, Answer::Text(KEYS.replace("one", "old")));
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    assert_eq!(kids(&keyring, &idp.settings()), ["old"]);
    idp.answer(JWKS, Answer::Text(KEYS.to_owned()));
    advance(COOLDOWN).await;
    keyring.requests().refresh(&idp.settings(), Some("one")).await;
    assert_eq!(kids(&keyring, &idp.settings()), ["one"]);
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_in_the_background_and_stay_when_that_fails() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    let begin = Instant::now();
    next(&mut outcomes).await.unwrap();
    assert!(begin.elapsed() <= Duration::from_mins(15));

    for broken in [Answer::Status404, Answer::Text(r#"{"keys": []}"#.to_owned()), Answer::Hang] {
        idp.answer(JWKS, broken);
        next(&mut outcomes).await.unwrap_err();
        assert!(has_keys(&keyring, &idp.settings()));
    }
    assert_eq!(keyring.missing(), []);
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_an_issuer_that_hangs_only_so_long() {
    let idp = Idp::start().await;
    idp.answer(OPENID, Answer::Hang);
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    let begin = Instant::now();
    keyring.requests().refresh(&idp.settings(), None).await;
    assert_eq!(begin.elapsed().as_secs(), 5);
    assert!(next(&mut outcomes).await.unwrap_err().contains("no whole answer"));
    assert_eq!(begin.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_hangs_holds_up_no_other() {
    let (good, bad) = (Idp::start().await, Idp::start().await);
    bad.answer(OPENID, Answer::Hang);
    let (keyring, mut outcomes) = start(&[bad.settings(), good.settings()]);
    assert_eq!(outcomes.recv().await.unwrap(), (good.settings().trust.issuer, Ok((1, 1))));
    assert_eq!(keyring.missing(), [bad.settings().trust.issuer]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_let_go_when_the_keyring_ends() {
    let idp = Idp::start().await;
    idp.answer(OPENID, Answer::Hang);
    let (keyring, _outcomes) = start(&[idp.settings()]);
    let requests = keyring.requests();
    let begin = Instant::now();
    let settings = idp.settings();
    let waiting = tokio::spawn(async move { requests.refresh(&settings, None).await });
    tokio::task::yield_now().await;
    drop(keyring);
    waiting.await.unwrap();
    assert_eq!(begin, Instant::now());
}

#[tokio::test]
async fn a_worker_asks_from_a_runtime_of_its_own() {
    let idp = Idp::start().await;
    let (keyring, _outcomes) = start(&[idp.settings()]);
    let (requests, settings) = (keyring.requests(), idp.settings());
    let worker = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(requests.refresh(&settings, None));
    });
    tokio::task::spawn_blocking(move || worker.join().unwrap()).await.unwrap();
    assert!(has_keys(&keyring, &idp.settings()));
}
