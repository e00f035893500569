//! How long keys stay fresh, and what of them is sent again.

use super::*;

#[tokio::test(start_paused = true)]
async fn cache_headers_say_when_keys_are_fetched_next_between_a_minute_and_a_day() {
    let idp = Idp::start().await;
    let (_keyring, mut outcomes) = start(&[idp.settings()]);
    for (cache_control, least, most) in [
        ("public", 810, 900),
        ("max-age=15", 60, 60),
        ("no-store", 60, 60),
        ("max-age=0", 60, 60),
        ("public, max-age=3600", 3240, 3600),
        ("max-age=31536000", 77_760, 86_400),
    ] {
        idp.answer(JWKS, Answer::Cached(cache_control, KEYS.to_owned()));
        next(&mut outcomes).await.unwrap();
        let begin = Instant::now();
        next(&mut outcomes).await.unwrap();
        let pause = begin.elapsed().as_secs();
        assert!((least..=most).contains(&pause), "{cache_control}: {pause} s");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_did_not_change_are_confirmed_and_kept_as_they_are() {
    let idp = Idp::start().await;
    idp.answer(JWKS, Answer::Cached("max-age=600", KEYS.to_owned()));
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    let keys = keys_now(&keyring, &idp.settings());
    // Longer than keys may be stale: each confirmation makes them new.
    let begin = Instant::now();
    while begin.elapsed() < 2 * MAX_STALE {
        assert_eq!(next(&mut outcomes).await, Ok((1, 1)));
        assert!(Arc::ptr_eq(&keys, &keys_now(&keyring, &idp.settings())));
    }
    idp.answer(JWKS, Answer::Cached("max-age=600", KEYS.replace("one", "other")));
    next(&mut outcomes).await.unwrap();
    assert_eq!(kids(&keyring, &idp.settings()), ["other"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_taken_back_is_gone_with_the_next_refresh() {
    let idp = Idp::start().await;
    let both = KEYS.replace(
        r#"{"kty": "oct""#,
        r#"{"kty": "OKP", "crv": "Ed25519", "kid": "bad",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}, {"kty": "oct""#,
    );
    idp.answer(JWKS, Answer::Text(both));
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    assert_eq!(kids(&keyring, &idp.settings()), ["one", "bad"]);
    idp.answer(JWKS, Answer::Text(KEYS.to_owned()));
    next(&mut outcomes).await.unwrap();
    assert_eq!(kids(&keyring, &idp.settings()), ["one"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_set_that_moved_is_found_at_once() {
    let (idp, elsewhere) = (Idp::start().await, Idp::start().await);
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    elsewhere.answer(JWKS, Answer::Text(KEYS.replace("one", "moved")));
    let document = r#"{"issuer": "ISSUER", "jwks_uri": "http://HOST/jwks"}"#;
    let document = document.replace("ISSUER", &idp.issuer());
    idp.answer(OPENID, Answer::Text(document.replace("HOST", &elsewhere.address.to_string())));
    advance(COOLDOWN).await;
    keyring.requests().refresh(&idp.settings(), Some("moved")).await;
    assert_eq!(kids(&keyring, &idp.settings()), ["moved"]);
    assert_eq!(idp.hits(JWKS), 1);
}

#[tokio::test(start_paused = true)]
async fn while_discovery_fails_keys_are_looked_for_where_they_were() {
    let idp = Idp::start().await;
    let (keyring, mut outcomes) = start(&[idp.settings()]);
    next(&mut outcomes).await.unwrap();
    for (broken, kid) in [(Answer::Status404, "new"), (Answer::Hang, "newer")] {
        idp.answer(OPENID, broken);
        idp.answer(JWKS, Answer::Text(KEYS.replace("one", kid)));
        advance(COOLDOWN).await;
        // Whoever asks lives to see it.
        keyring.requests().refresh(&idp.settings(), Some(kid)).await;
        next(&mut outcomes).await.unwrap();
        assert_eq!(kids(&keyring, &idp.settings()), [kid]);
    }
    // But not when the document is another's now.
    idp.answer(OPENID, idp.document("https://other.example/"));
    assert!(next(&mut outcomes).await.unwrap_err().contains("is for the issuer"));
    assert_eq!(kids(&keyring, &idp.settings()), ["newer"]);
}
