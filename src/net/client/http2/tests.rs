//! Connections over streams in memory, with an upstream at their other end.

use h2::Reason;
use http::Response;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::task::LocalSet;
use tokio::time::advance;

use super::super::fake::{TERMS, connection, request};
use super::super::fleet::Fleet;
use super::super::fleet::tests::nowhere;
use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// `SETTINGS_MAX_CONCURRENT_STREAMS` is 0.
const NO_STREAMS: &[u8] = &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0];

fn exchange(connection: Connection, fleet: &Rc<Fleet>) -> Exchange {
    Exchange::new(Place::on(Rc::new(connection), fleet.clone()))
}

#[tokio::test(start_paused = true)]
async fn a_connection_begins_when_the_upstream_says_how_many_streams_it_takes() {
    let work = async {
        for (said, begins) in [(SETTINGS, true), (NO_STREAMS, false), (b"", false)] {
            let (ours, mut theirs) = duplex(1024);
            theirs.write_all(said).await.unwrap();
            let begun = timeout(TERMS.connect, Connection::start(ours, &TERMS)).await;
            assert_eq!(begun.is_ok_and(|begun| begun.is_ok()), begins, "{said:?}");
        }
        let (ours, mut theirs) = duplex(1024);
        theirs.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let error = Connection::start(ours, &TERMS).await.err().unwrap();
        assert!(matches!(error, ConnectError::NotHttp2), "{error}");
        let (connection, _arrived) = connection(1000).await;
        assert_eq!(connection.most(), MOST_STREAMS as usize, "our own bound holds too");
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_shows_no_sign_of_life_is_noticed_while_streams_are_open() {
    let work = async {
        let (ours, mut theirs) = duplex(64 << 10);
        theirs.write_all(SETTINGS).await.unwrap();
        let mut exchange = exchange(Connection::start(ours, &TERMS).await.unwrap(), &nowhere());
        let begun = Instant::now();
        assert!(exchange.send(request()).await.is_err());
        let waited = begun.elapsed();
        assert!(waited >= PING_AFTER && waited < PING_AFTER + 2 * PONG_WITHIN, "{waited:?}");
        let mut seen = [0; PREFACE.len()];
        theirs.read_exact(&mut seen).await.unwrap();
        assert_eq!(seen, PREFACE);
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_streams_stands_for_its_time() {
    let work = async {
        let (connection, _arrived) = connection(10).await;
        let (connection, fleet) = (Rc::new(connection), nowhere());
        let place = Place::on(connection.clone(), fleet);
        advance(TERMS.idle * 2).await;
        assert!(connection.stands(TERMS.idle), "it is in use");
        drop(place);
        advance(TERMS.idle / 2).await;
        assert!(connection.stands(TERMS.idle));
        advance(TERMS.idle / 2).await;
        assert!(!connection.stands(TERMS.idle));
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_needs_says_so_and_ends() {
    let work = async {
        let (ours, mut theirs) = duplex(64 << 10);
        theirs.write_all(SETTINGS).await.unwrap();
        drop(Connection::start(ours, &TERMS).await.unwrap());
        let (begun, mut said) = (Instant::now(), Vec::new());
        theirs.read_to_end(&mut said).await.unwrap();
        let goodbye = [0, 0, 8, 7, 0, 0, 0, 0, 0];
        assert!(said.windows(goodbye.len()).any(|window| window == goodbye), "{said:?}");
        assert!(begun.elapsed() <= GRACE);
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_exchange_is_cancelled_and_its_neighbour_goes_on() {
    let work = async {
        let (connection, mut arrived) = connection(10).await;
        let (connection, fleet) = (Rc::new(connection), nowhere());
        let [mut kept, mut dropped] =
            [(); 2].map(|()| Exchange::new(Place::on(connection.clone(), fleet.clone())));
        assert_eq!(connection.open.get(), 2);
        let sending = spawn_local(async move { dropped.send(request()).await.is_ok() });
        let (_, mut respond) = arrived.recv().await.unwrap();
        sending.abort();
        let reset = poll_fn(|cx| respond.poll_reset(cx)).await;
        assert_eq!(reset.unwrap(), Reason::CANCEL);
        assert_eq!(connection.open.get(), 1);
        let answer = async {
            let (_, mut respond) = arrived.recv().await.unwrap();
            respond.send_response(Response::new(()), true).unwrap();
        };
        let (sent, ()) = tokio::join!(kept.send(request()), answer);
        assert!(sent.is_ok_and(|response| response.status() == 200));
        kept.finish();
        assert_eq!(connection.open.get(), 0);
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_takes_hold_up_no_other() {
    let work = async {
        let (connection, mut arrived) = connection(MOST_STREAMS).await;
        let (connection, fleet) = (Rc::new(connection), nowhere());
        let mut answer = async |bytes: usize, is_all: bool| {
            let mut exchange = Exchange::new(Place::on(connection.clone(), fleet.clone()));
            let answer = async {
                let (_, mut respond) = arrived.recv().await.unwrap();
                let mut body = respond.send_response(Response::new(()), false).unwrap();
                body.send_data(vec![b'x'; bytes].into(), is_all).unwrap();
                body
            };
            let (sent, body) = tokio::join!(exchange.send(request()), answer);
            (sent.ok().unwrap().into_body(), body, exchange)
        };
        let mut untaken = Vec::new();
        for _ in 1..MOST_STREAMS {
            untaken.push(answer(STREAM_WINDOW as usize * 2, false).await);
        }
        let (body, _, _exchange) = answer(STREAM_WINDOW as usize * 2, true).await;
        let whole = timeout(TERMS.response_read, body.collect()).await.unwrap().unwrap();
        assert_eq!(whole.to_bytes().len(), STREAM_WINDOW as usize * 2);
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_let_one_wait_for_too_long_takes_no_other() {
    let work = async {
        let (connection, _arrived) = connection(10).await;
        let connection = Rc::new(connection);
        let exchange = Exchange::new(Place::on(connection.clone(), nowhere()));
        assert!(connection.stands(TERMS.idle));
        exchange.give_up();
        assert!(!connection.stands(TERMS.idle));
    };
    LocalSet::new().run_until(work).await;
}
