//! Who waits for a stream, and gets one or is told that there is none.

use tokio::task::{LocalSet, yield_now};
use tokio::time::Instant;

use super::super::fake::{TERMS, connection};
use super::*;

/// The fleet of an upstream that cannot be reached: what it has must be given to it.
pub(in crate::net::client) fn nowhere() -> Rc<Fleet> {
    let upstream = Upstream::Unix("/nowhere/at.sock".into());
    Fleet::new(upstream, UpstreamProtocol::Http2, Arc::new(Semaphore::new(1)))
}

fn is_place(turn: &Turn) -> bool {
    matches!(turn, Ok(Some(Route::Http2(_))))
}

#[test]
fn what_is_spoken_without_tls_is_what_the_configuration_says() {
    let upstream = || Upstream::Tcp { host: "localhost".to_owned(), port: 1, tls: None };
    for (protocol, speaks) in [
        (UpstreamProtocol::Auto, Speaks::Http1),
        (UpstreamProtocol::Http1, Speaks::Http1),
        (UpstreamProtocol::Http2, Speaks::Http2),
    ] {
        let fleet = Fleet::new(upstream(), protocol, Arc::new(Semaphore::new(1)));
        assert_eq!(fleet.speaks(), Some(speaks));
    }
}

#[tokio::test(start_paused = true)]
async fn who_came_first_is_served_first_and_who_left_is_passed_over() {
    let work = async {
        let fleet = nowhere();
        let (connection, _arrived) = connection(1).await;
        fleet.join(connection);
        let first = fleet.turn(&TERMS).await;
        assert!(is_place(&first));
        let wait = || {
            let fleet = fleet.clone();
            spawn_local(async move { fleet.turn(&TERMS).await })
        };
        let (second, third, fourth) = (wait(), wait(), wait());
        yield_now().await;
        third.abort();
        assert!(third.await.is_err_and(|error| error.is_cancelled()));
        drop(first);
        let second = second.await.unwrap();
        assert!(is_place(&second) && !fourth.is_finished());
        drop(second);
        assert!(is_place(&fourth.await.unwrap()));
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_too_long_is_told_so() {
    let work = async {
        let fleet = nowhere();
        let (connection, _arrived) = connection(1).await;
        fleet.join(connection);
        let _place = fleet.turn(&TERMS).await;
        let begun = Instant::now();
        assert!(matches!(fleet.turn(&TERMS).await, Err(SendError::ConnectTimeout(_))));
        assert!(begun.elapsed() >= TERMS.connect);
        assert!(!fleet.sweep(), "a connection is in use");
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn where_nothing_can_be_reached_all_who_wait_are_told_at_once() {
    let work = async {
        let fleet = nowhere();
        let turns = tokio::join!(fleet.turn(&TERMS), fleet.turn(&TERMS), fleet.turn(&TERMS));
        for turn in [turns.0, turns.1, turns.2] {
            assert!(matches!(turn, Err(SendError::Unreachable { .. })));
        }
        assert!(fleet.sweep(), "nothing is left");
    };
    LocalSet::new().run_until(work).await;
}

#[tokio::test(start_paused = true)]
async fn connections_behind_the_first_come_to_be_without_use_and_are_let_go() {
    let work = async {
        let fleet = nowhere();
        for _ in 0..2 {
            let (connection, arrived) = connection(1).await;
            fleet.join(connection);
            // The upstream stays.
            spawn_local(async move {
                let _arrived = arrived;
                std::future::pending::<()>().await;
            });
        }
        let both = (fleet.turn(&TERMS).await, fleet.turn(&TERMS).await);
        assert!(is_place(&both.0) && is_place(&both.1));
        drop(both);
        for _ in 0..4 {
            tokio::time::sleep(TERMS.idle / 2).await;
            assert!(is_place(&fleet.turn(&TERMS).await));
        }
        assert!(!fleet.sweep());
        assert_eq!(fleet.connections.borrow().len(), 1);
        tokio::time::sleep(TERMS.idle).await;
        assert!(fleet.sweep());
    };
    LocalSet::new().run_until(work).await;
}
