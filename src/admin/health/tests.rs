use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::admin::listener::{LONGEST, MOST_CONNECTIONS};

use super::*;

async fn ask(address: SocketAddr, method: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

async fn ready(address: SocketAddr) -> (u16, serde_json::Value) {
    let (status, text) = ask(address, "GET", "/readyz").await;
    (status, serde_json::from_str(&text).unwrap())
}

/// Vitals with these conditions, which may change.
fn vitals(conditions: &Arc<Mutex<Vec<Condition>>>) -> Vitals {
    let conditions = conditions.clone();
    Vitals {
        metrics: Box::new(|| "the_metrics 7\n".to_owned()),
        missing_keys: Box::new(|| vec![Issuer::new("https://issuer.example/").unwrap()]),
        conditions: Arc::new(vec![Box::new(move || conditions.lock().unwrap().clone())]),
    }
}

fn loopback() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

#[tokio::test]
async fn it_answers_three_paths_and_nothing_else() {
    let drain = Drain::new();
    let health = Health::bind(loopback(), drain.clone(), vitals(&Arc::default())).await.unwrap();
    let address = health.address().unwrap();
    let running = tokio::spawn(health.run());

    assert_eq!(ask(address, "GET", "/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(ask(address, "HEAD", "/healthz").await, (200, String::new()));
    assert_eq!(ask(address, "POST", "/healthz").await.0, 405);
    assert_eq!(ask(address, "GET", "/").await.0, 404);
    assert_eq!(ask(address, "GET", "/status").await.0, 404);
    assert_eq!(ask(address, "GET", "/metrics").await, (200, "the_metrics 7\n".to_owned()));

    drain.advance(Phase::Draining);
    let (status, state) = ready(address).await;
    assert_eq!((status, &state["conditions"][0]["code"]), (503, &"leaving".into()));
    assert_eq!(ask(address, "GET", "/healthz").await.0, 200);
    drain.advance(Phase::Gone);
    running.await.unwrap();
}

#[tokio::test]
async fn what_is_not_as_it_should_be_is_said_and_may_make_it_unready() {
    let conditions = Arc::<Mutex<Vec<Condition>>>::default();
    let health = Health::bind(loopback(), Drain::new(), vitals(&conditions)).await.unwrap();
    let address = health.address().unwrap();
    tokio::spawn(health.run());

    let (status, state) = ready(address).await;
    assert_eq!((status, &state["ready"], &state["degraded"]), (200, &true.into(), &false.into()));
    assert_eq!(state["missing_keys"][0], "https://issuer.example/");

    let condition = |unready| Condition { code: "old", detail: "too old".to_owned(), unready };
    *conditions.lock().unwrap() = vec![condition(false)];
    let (status, state) = ready(address).await;
    assert_eq!((status, &state["ready"], &state["degraded"]), (200, &true.into(), &true.into()));
    assert_eq!(state["conditions"][0]["detail"], "too old");

    conditions.lock().unwrap().push(condition(true));
    let (status, state) = ready(address).await;
    assert_eq!((status, &state["ready"]), (503, &false.into()));
    *conditions.lock().unwrap() = Vec::new();
    assert_eq!(ready(address).await.0, 200, "it is asked each time");
}

#[tokio::test]
async fn who_takes_all_places_keeps_nobody_from_asking() {
    let health = Health::bind(loopback(), Drain::new(), vitals(&Arc::default())).await.unwrap();
    let address = health.address().unwrap();
    tokio::spawn(health.run());
    let mut first = TcpStream::connect(address).await.unwrap();
    let mut silent = Vec::new();
    for _ in 0..MOST_CONNECTIONS {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    assert_eq!(ask(address, "GET", "/healthz").await.0, 200);
    assert!(matches!(first.read(&mut [0]).await, Ok(0) | Err(_)), "the oldest makes room");
}

#[tokio::test(start_paused = true)]
async fn nobody_keeps_a_place_for_good() {
    let health = Health::bind(loopback(), Drain::new(), vitals(&Arc::default())).await.unwrap();
    let mut stream = TcpStream::connect(health.address().unwrap()).await.unwrap();
    tokio::spawn(health.run());

    let begun = tokio::time::Instant::now();
    let mut room = [0; 1024];
    let mut answered = 0;
    while stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.is_ok()
        && stream.read(&mut room).await.is_ok_and(|read| read > 0)
    {
        answered += 1;
        assert!(begun.elapsed() <= 2 * LONGEST, "{answered} answers");
        sleep(Duration::from_secs(1)).await;
    }
    assert!(answered > 1, "{answered} answers");
}
