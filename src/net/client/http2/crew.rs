//! Who does the work of one HTTP/2 connection: hyper hands it over as tasks, all by one door.
//!
//! The first that it hands over, within the handshake, is the connection's own: the [`Wire`], which is
//! kept to be run together with what it is told. Right after the first look at an upload follows the
//! task that sends the rest of it; that one hangs by the upload's [`Leash`].

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;

use hyper::rt::Executor;
use tokio::sync::oneshot;
use tokio::task::spawn_local;

use super::{Place, until_retired};

/// What comes and goes on a connection.
pub(super) type Wire = Pin<Box<dyn Future<Output = ()>>>;

/// Where an upload that is looked at for the first time leaves what its task will hang by.
pub(super) type Launch = Rc<RefCell<Option<Leash>>>;

/// What the task of an upload hangs by.
pub(super) struct Leash {
    /// Told when the answer has ended; gone when nobody wants it any more.
    pub(super) retired: oneshot::Receiver<()>,
    /// The stream is open for as long as its upload is.
    pub(super) place: Rc<Place>,
}

/// Runs the tasks of one connection.
#[derive(Clone, Default)]
pub(super) struct Crew(Rc<Tasks>);

#[derive(Default)]
struct Tasks {
    has_wire: Cell<bool>,
    wire: RefCell<Option<Wire>>,
    launch: Launch,
}

impl Crew {
    /// The connection's own task, once its handshake is over.
    pub(super) fn wire(&self) -> Option<Wire> {
        self.0.wire.take()
    }

    pub(super) fn launch(&self) -> Launch {
        self.0.launch.clone()
    }
}

impl<F: Future<Output = ()> + 'static> Executor<F> for Crew {
    fn execute(&self, task: F) {
        if !self.0.has_wire.replace(true) {
            self.0.wire.replace(Some(Box::pin(task)));
            return;
        }
        match self.0.launch.take() {
            None => drop(spawn_local(task)),
            Some(Leash { retired, place }) => drop(spawn_local(async move {
                until_retired(task, retired).await;
                drop(place);
            })),
        }
    }
}
