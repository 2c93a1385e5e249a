//! All groups of the node.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use boltseal_api::groups as api;
use boltseal_image::Layers;
use boltseal_model::Timestamp;
use boltseal_runtime::{
    Host,
    start::{Join, Started, since},
};
use rustix::{fs::FlockOperation, mount::MountFlags};
use tokio::sync::Semaphore;

use super::{
    Error, MAX_GROUPS, STARTS, Settings, ask,
    container::{self, Contained, Found},
    ends::Ends,
    events::Events,
    forward,
    group::{Group, Kept, Places, Told, passable, private},
    identity, keeper, presence, renew,
    rollout::line::Lines,
    watched,
};
use crate::network::{self, METADATA_PORT, Namespace, Network, Slot, dns::Resolver};

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

    /// Runs a group: looks at its images, asks about them, pulls them, plans, and starts it.
    ///
    /// # Errors
    /// Where anything of it says no; nothing is left then.
    pub async fn run(&self, run: api::Run) -> Result<api::Group, Error> {
        let read = ask::read(&run)?;
        let name = read.workload.id.name.clone();
        let _reserved = self.reserve(&name)?;
        let inner = Arc::clone(&self.0);
        let handle = tokio::runtime::Handle::current();
        let id = name.clone();
        let group = tokio::task::spawn_blocking(move || inner.make(run, &read, &id, &handle));
        let group = Arc::new(group.await.map_err(|_| Error::Stopping)??);
        let details = vec![
            ("plan", group.plan_digest.to_string()),
            ("unverified", group.shown().unverified.to_string()),
        ];
        let written = self.write("group.run", &group.name, None, details);
        // Whoever finds it from now on waits until it is begun.
        let mut gone = group.turn.lock().await;
        lock(&self.0.groups).insert(name.clone(), Arc::clone(&group));
        let begun = match written {
            Ok(()) => self.0.begin(&group, Vec::new()).await,
            Err(error) => Err(error),
        };
        if let Err(error) = begun {
            // A port that another group has, a disk that is full: whoever is told no finds nothing of it.
            *gone = true;
            lock(&self.0.groups).remove(&name);
            let (inner, of_group) = (Arc::clone(&self.0), Arc::clone(&group));
            let cleared =
                tokio::task::spawn_blocking(move || inner.clear(&of_group.places, &of_group.name)).await;
            if let Ok(Err(left)) = cleared {
                tracing::error!(group = name, %left, "what is left of a group that was refused");
            }
            return Err(error);
        }
        drop(gone);
        Ok(group.shown())
    }

    /// All groups.
    pub fn list(&self) -> Vec<api::Group> {
        let groups: Vec<_> = lock(&self.0.groups).values().cloned().collect();
        groups.iter().map(|group| group.shown()).collect()
    }

    /// One group.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub fn get(&self, name: &str) -> Result<api::Group, Error> {
        Ok(self.group(name)?.shown())
    }

    /// Stops a group, and comes back when it is.
    ///
    /// # Errors
    /// Where there is none, or it does not end.
    pub async fn stop(&self, name: &str, grace: Option<u32>) -> Result<api::Group, Error> {
        let group = self.group(name)?;
        let grace = grace.unwrap_or(keeper::GRACE);
        {
            let gone = group.turn.lock().await;
            is_there(&group, *gone)?;
            self.tell_to_stop(&group, grace)?;
        }
        ended(&group, grace).await?;
        Ok(group.shown())
    }

    pub(super) fn tell_to_stop(&self, group: &Group, grace: u32) -> Result<(), Error> {
        self.write("group.stop", &group.name, None, vec![("grace", grace.to_string())])?;
        {
            let mut remembered = lock(&group.kept);
            remembered.stopped = true;
            remembered.write(&group.places.kept())?;
        }
        group.told.send_replace(Told::Stop(grace));
        Ok(())
    }

    /// Starts a group that was stopped or has ended.
    ///
    /// # Errors
    /// Where there is none, or it runs.
    pub async fn start(&self, name: &str) -> Result<api::Group, Error> {
        let group = self.group(name)?;
        let gone = group.turn.lock().await;
        is_there(&group, *gone)?;
        if *group.kept_running.borrow() {
            return Err(Error::Conflict(format!("{name} runs")));
        }
        self.write("group.start", name, None, Vec::new())?;
        {
            let mut remembered = lock(&group.kept);
            remembered.stopped = false;
            remembered.write(&group.places.kept())?;
        }
        group.told.send_replace(Told::Run);
        self.0.begin(&group, Vec::new()).await?;
        Ok(group.shown())
    }

    /// Removes a group with its logs; one that runs only where `force` stops it at once.
    ///
    /// # Errors
    /// Where there is none, or it runs.
    pub async fn remove(&self, name: &str, force: bool) -> Result<(), Error> {
        let group = self.group(name)?;
        // One that is being replaced, or was, goes with the others of its name.
        let is_of_several = self.0.lines.get(&group.service).is_some();
        let _turn = if is_of_several { Some(self.0.lines.turn(&group.service)?) } else { None };
        let mut gone = group.turn.lock().await;
        is_there(&group, *gone)?;
        if *group.kept_running.borrow() {
            if !force {
                return Err(Error::Conflict(format!(
                    "{name} runs: stop it first, or remove it with --force"
                )));
            }
            self.tell_to_stop(&group, 0)?;
            ended(&group, 0).await?;
        }
        self.write("group.remove", name, None, Vec::new())?;
        let (of_group, inner) = (Arc::clone(&group), Arc::clone(&self.0));
        let done = tokio::task::spawn_blocking(move || inner.clear(&of_group.places, &of_group.name));
        done.await.map_err(|_| Error::Stopping)??;
        *gone = true;
        lock(&self.0.groups).remove(&group.name);
        self.succeeded_by_nobody(&group).await
    }

    /// The two files of a container's log.
    ///
    /// # Errors
    /// Where there is no such container.
    pub fn logs(&self, name: &str, container: &str) -> Result<[PathBuf; 2], Error> {
        let group = self.group(name)?;
        let one = find(&group, container)?;
        Ok(group.places.logs(one.name()))
    }

    /// The first process of a container.
    ///
    /// # Errors
    /// Where there is no such container, or it does not run.
    pub fn first(&self, name: &str, container: &str) -> Result<Started, Error> {
        let group = self.group(name)?;
        let one = find(&group, container)?;
        let started = one.seen().started;
        started.ok_or_else(|| Error::Conflict(format!("{name}/{container} does not run")))
    }

    /// Whether a group is kept running.
    pub fn keeps(&self, name: &str) -> bool {
        self.group(name).is_ok_and(|group| *group.kept_running.borrow())
    }

    /// What is to be started so that a program joins a container. It is in the log when this comes back.
    ///
    /// # Errors
    /// Where there is no such container, or it does not run.
    pub fn exec(&self, name: &str, container: &str, exec: api::Exec) -> Result<Join, Error> {
        let group = self.group(name)?;
        let one = find(&group, container)?;
        let first = self.first(name, container)?;
        if exec.command.is_empty() {
            return Err(Error::Definition("it names no program".to_owned()));
        }
        let details = vec![("command", exec.command.join(" "))];
        self.write("container.exec", name, Some(one.name()), details)?;
        Ok(Join {
            id: container::id(&group, &one),
            state: group.places.state.clone(),
            first,
            command: exec.command,
            env: exec.env,
            folder: exec.folder,
            user: exec.user,
            terminal: exec.terminal.map(PathBuf::from),
        })
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

    pub(super) fn reserve(&self, name: &str) -> Result<Reserved<'_>, Error> {
        let groups = lock(&self.0.groups);
        if groups.contains_key(name) || self.0.lines.get(name).is_some() {
            return Err(Error::Conflict(format!(
                "there is a group {name} already: remove it first, or take another name"
            )));
        }
        let mut asked = lock(&self.0.asked);
        if groups.len() + asked.len() >= MAX_GROUPS {
            return Err(Error::Conflict(format!("this node has {MAX_GROUPS} groups")));
        }
        if !asked.insert(name.to_owned()) {
            return Err(Error::Conflict(format!("{name} is being made already")));
        }
        Ok(Reserved { asked: &self.0.asked, name: name.to_owned() })
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

/// A name that is being made into a group.
pub(super) struct Reserved<'a> {
    asked: &'a Mutex<BTreeSet<String>>,
    name: String,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        lock(self.asked).remove(&self.name);
    }
}

/// Whoever waited for its turn may find a group that was removed meanwhile.
pub(super) fn is_there(group: &Group, gone: bool) -> Result<(), Error> {
    if gone { Err(Error::Missing(format!("group {}", group.name))) } else { Ok(()) }
}

/// Waits until all of it has ended.
pub(super) async fn ended(group: &Group, grace: u32) -> Result<(), Error> {
    let mut kept = group.kept_running.subscribe();
    let patience = Duration::from_secs(u64::from(grace)) + KILLED;
    match tokio::time::timeout(patience, kept.wait_for(|running| !running)).await {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::Conflict(format!("{} does not end, although all of it was killed", group.name))),
    }
}

fn find(group: &Group, container: &str) -> Result<Arc<Contained>, Error> {
    let found = group.containers.iter().find(|one| one.name() == container);
    found.cloned().ok_or_else(|| Error::Missing(format!("container {}/{container}", group.name)))
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

    /// Makes a group, which is called `id` among all.
    pub fn make(
        &self,
        run: api::Run,
        read: &ask::Read,
        id: &str,
        handle: &tokio::runtime::Handle,
    ) -> Result<Group, Error> {
        let places = Places::new(&self.settings, id);
        let (images, held) = ask::images(&run, read, &self.layers, &self.judge, handle)?;
        let strict = run.strict;
        let id = (id != read.workload.id.name).then(|| id.to_owned());
        let kept = Kept { run, created: Timestamp::now(), slot: self.slot()?, images, stopped: false, id };
        let layers = held.into_iter().map(|layer| (layer.diff_id.clone(), layer)).collect();
        let group = ask::group(kept, read, layers, places, &self.host)?;
        ask::runs(&group.plan, strict)?;
        // What is left of one that had this name.
        self.clear(&group.places, &group.name)?;
        for folder in [&group.places.run, &group.places.data] {
            private(folder)?;
        }
        passable(&group.places.run)?;
        lock(&group.kept).write(&group.places.kept())?;
        Ok(group)
    }

    fn slot(&self) -> Result<u16, Error> {
        let taken: BTreeSet<u16> = lock(&self.groups).values().map(|group| lock(&group.kept).slot).collect();
        let mut newest = lock(&self.newest);
        let is_taken = |slot: Slot| taken.contains(&slot.number());
        let free = lock(&self.network).range().free(*newest, is_taken);
        let free = free.ok_or_else(|| Error::Conflict("no place is left for a group".to_owned()))?;
        *newest = Some(free);
        Ok(free.number())
    }

    /// The group that has an address.
    pub fn group_at(&self, address: Ipv4Addr) -> Option<Arc<Group>> {
        let slot = lock(&self.network).range().slot(address)?.number();
        lock(&self.groups).values().find(|group| lock(&group.kept).slot == slot).cloned()
    }

    /// Gives a group its network, and somebody who keeps it.
    pub async fn begin(self: &Arc<Self>, group: &Arc<Group>, found: Vec<Found>) -> Result<(), Error> {
        let there = network_of(&found);
        let (inner, of_group) = (Arc::clone(self), Arc::clone(group));
        let attached = tokio::task::spawn_blocking(move || inner.attach(&of_group, there));
        attached.await.map_err(|_| Error::Stopping)??;
        group.kept_running.send_replace(true);
        tokio::spawn(keeper::keep(Arc::clone(self), Arc::clone(group), found));
        Ok(())
    }

    fn attach(&self, group: &Group, there: Option<Namespace>) -> Result<(), Error> {
        let failed = |error: network::Error| Error::Runtime(error.to_string());
        let namespace = match there {
            Some(namespace) => namespace,
            None => Namespace::create().map_err(failed)?,
        };
        let of_network = group.of_network();
        let attached = {
            let mut network = lock(&self.network);
            let attached = network.attach(&group.name, of_network, &namespace).map_err(failed)?;
            self.resolver.know(network.names());
            attached
        };
        *lock(&group.network) = Some((namespace, Some(attached)));
        Ok(())
    }

    /// Takes a group's network away: nothing of it runs any more.
    pub async fn let_go_of_network(self: &Arc<Self>, group: &Arc<Group>) {
        let (inner, group) = (Arc::clone(self), Arc::clone(group));
        let done = tokio::task::spawn_blocking(move || {
            *lock(&group.network) = None;
            let mut network = lock(&inner.network);
            let done = network.detach(&group.name);
            inner.resolver.know(network.names());
            done
        });
        if let Ok(Err(error)) = done.await {
            tracing::warn!(%error, "the network of a group that ended");
        }
    }
}

/// The network that what runs of a group is in. Any of it may end while this looks: then nothing of it needs that network.
pub fn network_of(found: &[Found]) -> Option<Namespace> {
    found.iter().find_map(|found| {
        let Found::Runs(started) = found else { return None };
        let namespace = Namespace::of_process(u32::try_from(started.pid).ok()?).ok()?;
        // It was opened while that process was there, not one that has its number now.
        (since(started.pid) == Some(started.since)).then_some(namespace)
    })
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
