//! Groups run, stopped, started and removed, as somebody asks.
//!
//! What is asked is in the log before it is done, and whoever is told no finds nothing of it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use boltseal_api::groups as api;
use boltseal_model::Timestamp;

use super::{
    super::{
        Error, MAX_GROUPS, ask,
        group::{Group, Kept, Places, Told, passable, private},
        keeper,
    },
    Engine, Inner, KILLED, lock,
};

impl Engine {
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

    pub(in crate::groups) fn tell_to_stop(&self, group: &Group, grace: u32) -> Result<(), Error> {
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

    pub(in crate::groups) fn reserve(&self, name: &str) -> Result<Reserved<'_>, Error> {
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
}

/// A name that is being made into a group.
pub(in crate::groups) struct Reserved<'a> {
    asked: &'a Mutex<BTreeSet<String>>,
    name: String,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        lock(self.asked).remove(&self.name);
    }
}

/// Whoever waited for its turn may find a group that was removed meanwhile.
pub(in crate::groups) fn is_there(group: &Group, gone: bool) -> Result<(), Error> {
    if gone { Err(Error::Missing(format!("group {}", group.name))) } else { Ok(()) }
}

/// Waits until all of it has ended.
pub(in crate::groups) async fn ended(group: &Group, grace: u32) -> Result<(), Error> {
    let mut kept = group.kept_running.subscribe();
    let patience = Duration::from_secs(u64::from(grace)) + KILLED;
    match tokio::time::timeout(patience, kept.wait_for(|running| !running)).await {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::Conflict(format!("{} does not end, although all of it was killed", group.name))),
    }
}

impl Inner {
    /// Makes a group, which is called `id` among all.
    pub fn make(
        &self,
        run: api::Run,
        read: &ask::Read,
        id: &str,
        handle: &tokio::runtime::Handle,
    ) -> Result<Group, Error> {
        let places = Places::new(&self.settings, id);
        let (images, held) = self.images(&run, read, handle)?;
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
}
