//! All groups of the node.
//!
//! | module | what it has |
//! |---|---|
//! | `asked` | groups run, stopped, started and removed, as somebody asks |
//! | `within` | what can be asked about one container: its log, its first process, a program that joins it |
//! | `attached` | the place and the network of a group, from its beginning to its end |
//!
//! Here is what they share: the engine itself, how it is opened, and how it lets go.

mod asked;
mod attached;
mod within;

pub(super) use asked::{ended, is_there};
pub use attached::network_of;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::{Duration, Instant},
};

use boltseal_image::Layers;
use boltseal_runtime::Host;
use rustix::{fs::FlockOperation, mount::MountFlags};
use tokio::sync::Semaphore;

use super::{
    Error, STARTS, Settings,
    container::{Contained, Found},
    ends::Ends,
    events::Events,
    forward,
    group::{Group, Told, passable, private},
    identity, idle, presence, renew,
    rollout::line::Lines,
    watched,
};
use crate::network::{self, METADATA_PORT, Network, Slot, dns::Resolver};

/// `TMPFS_MAGIC` of statfs(2).
const IN_MEMORY: u64 = 0x0102_1994;
/// How long another that is going away may have the folder.
const TAKEN: Duration = Duration::from_secs(2);
/// How long a stop may take beyond its grace: what is killed is gone soon.
const KILLED: Duration = Duration::from_secs(20);

/// Runs the groups of a node. A handle: clones are the same engine.
#[derive(Clone)]
pub struct Engine(pub(super) Arc<Inner>, Option<Arc<str>>);

/// What all of them share.
pub struct Inner {
    pub settings: Settings,
    /// Held as long as this is: two engines of one folder would fight about its containers.
    _only_one: File,
    pub starts: Semaphore,
    pub events: Events,
    pub ends: Ends,
    pub host: Host,
    pub judge: Arc<super::Judge>,
    /// What is in images, and what of it is used.
    pub stock: super::stock::Stock,
    pub layers: Layers,
    /// Whether there is a group that could not be read, and may run.
    pub has_unread: AtomicBool,
    pub network: Mutex<Network>,
    /// Of names that groups ask for.
    pub resolver: Resolver,
    /// The place of the newest group.
    newest: Mutex<Option<Slot>>,
    pub groups: Mutex<BTreeMap<String, Arc<Group>>>,
    /// Which group serves a name that several had.
    pub lines: Lines,
    /// Names that are being made into groups.
    asked: Mutex<BTreeSet<String>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Engine").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

/// What is behind a lock. One that panicked with it left it as it was.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// Opens what is there, finds the groups that run, and goes on keeping them. Needs to be root, and within tokio.
    ///
    /// # Errors
    /// Where a folder cannot be used, or the network of groups not be made.
    pub async fn open(mut settings: Settings, of_network: network::Settings) -> Result<Self, Error> {
        private(&settings.data)?;
        in_memory(&settings.run)?;
        let judge = Arc::new(std::mem::replace(&mut settings.judge, super::Judge::Nobody));
        let layers = Layers::open(&settings.data.join("layers"))?;
        let only_one = alone(&settings.data)?;
        let events = Events::open(&settings.data, &settings.host)?;
        let made = tokio::task::spawn_blocking(move || Network::open(of_network)).await;
        let network =
            made.map_err(|_| Error::Stopping)?.map_err(|error| Error::Runtime(error.to_string()))?;
        // It has to be there before the first group is: the rules let groups ask whoever is at that address.
        let resolver = watched::resolver();
        let gateway = network.range().gateway();
        let listening =
            resolver.listen(gateway).await.map_err(Error::io(format!("names for groups at {gateway}")))?;
        tokio::spawn(listening.run());
        let tokens = identity::listen(gateway)
            .await
            .map_err(Error::io(format!("tokens for groups at {gateway}:{METADATA_PORT}")))?;
        let inner = Inner {
            _only_one: only_one,
            resolver,
            newest: Mutex::default(),
            starts: Semaphore::new(STARTS),
            events,
            ends: Ends::new().map_err(Error::io("waiting for ends"))?,
            host: Host::probe(),
            judge,
            stock: super::stock::Stock::default(),
            layers,
            has_unread: AtomicBool::new(false),
            network: Mutex::new(network),
            groups: Mutex::default(),
            lines: Lines::open(settings.run.join("lines"))?,
            asked: Mutex::default(),
            settings,
        };
        let engine = Self(Arc::new(inner), None);
        tokio::spawn(identity::answer(tokens, Arc::downgrade(&engine.0)));
        engine.recover().await?;
        engine.settle().await?;
        if let Err(error) = watched::refusals(&engine.0) {
            tracing::warn!(%error, "what the network of groups refuses is not told");
        }
        tokio::spawn(renew::run(Arc::downgrade(&engine.0), engine.0.settings.renew_every));
        tokio::spawn(idle::run(Arc::downgrade(&engine.0)));
        if let super::Judge::Server(gate) = &*engine.0.judge {
            tokio::spawn(forward::run(Arc::downgrade(&engine.0), gate.clone()));
            tokio::spawn(super::stock::used::run(Arc::downgrade(&engine.0)));
            tokio::spawn(presence::run(Arc::downgrade(&engine.0), gate.clone()));
        }
        Ok(engine)
    }

    /// The engine that has this inside, asked by nobody.
    pub(super) const fn of(inner: Arc<Inner>) -> Self {
        Self(inner, None)
    }

    /// The same engine, asked by somebody: the events say by whom.
    #[must_use]
    pub fn asked_by(&self, who: &str) -> Self {
        Self(Arc::clone(&self.0), Some(who.into()))
    }

    /// Writes down what is asked for, and by whom.
    pub(super) fn write(
        &self,
        what: &str,
        group: &str,
        container: Option<&str>,
        mut details: Vec<(&str, String)>,
    ) -> Result<(), Error> {
        details.extend(self.1.as_ref().map(|who| ("by", who.to_string())));
        self.0.write(what, group, container, &details)
    }

    /// What happened.
    pub(super) fn events(&self) -> &Events {
        &self.0.events
    }

    /// Lets go of all groups: they stay as they are.
    pub async fn let_go(&self) {
        let groups: Vec<_> = lock(&self.0.groups).values().cloned().collect();
        for group in &groups {
            // One that was told to stop goes on stopping under the next agent.
            group.told.send_replace(Told::LetGo);
        }
        for group in groups {
            let mut kept = group.kept_running.subscribe();
            let _ = tokio::time::timeout(KILLED, kept.wait_for(|running| !running)).await;
        }
    }

    pub(super) fn group(&self, name: &str) -> Result<Arc<Group>, Error> {
        lock(&self.0.groups)
            .get(&self.0.lines.id(name))
            .cloned()
            .ok_or_else(|| Error::Missing(format!("group {name}")))
    }

    /// Finds what runs, ends what was begun and not finished, and removes what nobody wants.
    async fn recover(&self) -> Result<(), Error> {
        let inner = Arc::clone(&self.0);
        let found =
            tokio::task::spawn_blocking(move || inner.find_all()).await.map_err(|_| Error::Stopping)??;
        for (group, of_containers) in found {
            let group = Arc::new(group);
            lock(&self.0.groups).insert(group.name.clone(), Arc::clone(&group));
            let runs = of_containers.iter().any(|found| matches!(found, Found::Runs(_)));
            if runs || !lock(&group.kept).stopped {
                // One that cannot be kept is no reason to let go of all others.
                if let Err(error) = self.0.begin(&group, of_containers).await {
                    tracing::error!(group = group.name, %error, "it cannot be kept: what runs of it goes on");
                }
            }
        }
        Ok(())
    }
}

impl Inner {
    /// Writes down what happened. What cannot be written is not done.
    pub fn write(
        &self,
        what: &str,
        group: &str,
        container: Option<&str>,
        details: &[(&str, String)],
    ) -> Result<(), Error> {
        self.events.write(what, group, container, details).map(drop)
    }

    /// Writes down what happened by itself.
    pub async fn tell(
        self: &Arc<Self>,
        what: &'static str,
        group: &Group,
        one: &Contained,
        details: &[(&'static str, String)],
    ) -> Result<(), Error> {
        let (inner, group, one) = (Arc::clone(self), group.name.clone(), one.name().to_owned());
        let details = details.to_vec();
        let done = tokio::task::spawn_blocking(move || inner.write(what, &group, Some(&one), &details)).await;
        let done = done.map_err(|_| Error::Stopping)?;
        if let Err(error) = &done {
            tracing::error!(%error, what, "not written down");
        }
        done
    }
}

/// Takes the folder for this process alone. Whoever was killed may have left a copy that is just becoming another program.
fn alone(folder: &Path) -> Result<File, Error> {
    let path = folder.join("lock");
    let failed = || Error::io(path.display());
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed())?;
    let begun = Instant::now();
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) if begun.elapsed() < TAKEN => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(rustix::io::Errno::AGAIN) => {
                return Err(Error::Conflict(format!("another agent has {}", folder.display())));
            }
            Err(error) => return Err(failed()(error.into())),
        }
    }
}

/// The folder, in memory: what has secrets in it does not come to a disk.
fn in_memory(folder: &Path) -> Result<(), Error> {
    passable(folder)?;
    let found = rustix::fs::statfs(folder).map_err(|error| Error::io(folder.display())(error.into()))?;
    if u64::try_from(found.f_type) == Ok(IN_MEMORY) {
        return Ok(());
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    rustix::mount::mount("boltseal", folder, "tmpfs", flags, c"mode=0711,size=256m")
        .map_err(|error| Error::io(folder.display())(error.into()))
}
