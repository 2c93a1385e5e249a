//! A group replaced by a new one of its name, without a moment in which nobody serves.
//!
//! ```text
//! old serves ─▶ new is started beside it ─▶ new is ready ─▶ ports and name move, at one moment ─▶ old ends its conversations ─▶ old is kept
//!                                       └▶ new is not: it is removed, and old never stopped serving
//! ```
//!
//! Each group has an id; people call the one that serves by the name. Who that is stands in one file ([`line`]), which is
//! replaced before the rules of the network are: whoever is killed in between finds out by that file what is to be so. Published
//! ports belong to whoever serves ([`Group::of_network`]). Conversations that exist stay where they are, since the kernel
//! remembers for each of them whom it is with.
//!
//! It must not know: what runs in a group, how verdicts come about.

pub mod line;
mod ready;
mod sockets;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use boltseal_api::groups::{self as api, Strategy};
use boltseal_model::Timestamp;
use jiff::SignedDuration;

use self::{
    line::{FIRST, Line},
    ready::{ports, process, ready},
};
use super::{
    Engine, Error, ask,
    engine::{Inner, ended, is_there, lock},
    group::{Group, Told},
    keeper,
};

/// How long a new group may take until it is ready, where nobody says.
const WAIT: u32 = 300;
/// How long conversations of the old one may go on, where nobody says.
const DRAIN: u32 = 30;
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(50);
/// How often in a row nothing must be open: what was let in just before the ports moved may be on its way.
const QUIET: usize = 4;
/// Ids of one name that are tried.
const MAX_NUMBER: u32 = 10_000;

impl Engine {
    /// Replaces the group of the definition's name. It serves on where the new one does not become ready.
    ///
    /// # Errors
    /// Where there is no such group, or something says no before anything was started.
    pub async fn rollout(&self, asked: api::Rollout) -> Result<api::Rolled, Error> {
        let read = ask::read(&asked.run)?;
        let name = read.workload.id.name.clone();
        let _turn = self.0.lines.turn(&name)?;
        let old = self.serving(&name)?;
        let id = self.new_id(&name)?;
        let _reserved = self.reserve(&id)?;
        let line = self.line(&name);
        self.0.lines.set(&name, Line { coming: Some(id.clone()), ..line.clone() })?;
        self.write("group.rollout", &name, None, vec![("id", id.clone())])?;
        let begun = self.begin_new(asked.run, read, &id).await;
        let new = match begun {
            Ok(new) => new,
            Err(error) => {
                self.0.lines.set(&name, line)?;
                return Err(error);
            }
        };
        if let Err(why) = ready(&new, seconds(asked.wait.unwrap_or(WAIT))).await {
            self.discard(&new).await?;
            self.0.lines.set(&name, line)?;
            self.write("group.rollout-failed", &name, None, vec![("why", why.clone())])?;
            return Ok(api::Rolled { group: old.shown(), failed: Some(why) });
        }
        let before = line.kept.clone().filter(|kept| *kept != old.name);
        self.hand_over(&name, line, &old, &new, asked.strategy, asked.drain).await?;
        if let Some(before) = before.and_then(|before| self.by_id(&before)) {
            self.discard(&before).await?;
        }
        Ok(api::Rolled { group: new.shown(), failed: None })
    }

    /// Lets the group serve again that served before.
    ///
    /// # Errors
    /// Where there is none, or it cannot be started.
    pub async fn rollback(&self, name: &str, asked: api::Rollback) -> Result<api::Rolled, Error> {
        let _turn = self.0.lines.turn(name)?;
        let old = self.serving(name)?;
        let line = self.line(name);
        let kept = line.kept.as_ref().and_then(|kept| self.by_id(kept));
        let kept = kept.ok_or_else(|| Error::Missing(format!("group that served as {name} before")))?;
        self.0.lines.set(name, Line { coming: Some(kept.name.clone()), retires: None, ..line.clone() })?;
        self.write("group.rollback", name, None, vec![("id", kept.name.clone())])?;
        let was_running = *kept.kept_running.borrow();
        let begun = if was_running { Ok(()) } else { self.begin_again(&kept).await };
        let is_ready = match begun {
            Ok(()) => ready(&kept, seconds(asked.wait.unwrap_or(WAIT))).await,
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = is_ready {
            if !was_running {
                self.end(&kept, 0).await?;
            }
            self.0.lines.set(name, Line { retires: None, ..line })?;
            self.write("group.rollout-failed", name, None, vec![("why", why.clone())])?;
            return Ok(api::Rolled { group: old.shown(), failed: Some(why) });
        }
        self.hand_over(name, line, &old, &kept, asked.strategy, asked.drain).await?;
        Ok(api::Rolled { group: kept.shown(), failed: None })
    }

    /// Ends what an agent that was killed had begun: what was tried is gone, what was to be stopped is.
    pub(super) async fn settle(&self) -> Result<(), Error> {
        for (name, line) in self.0.lines.all() {
            let Some(serving) = self.by_id(&line.serving) else {
                // It was being removed, and all that had its name with it.
                for id in line.coming.iter().chain(&line.kept) {
                    if let Some(group) = self.by_id(id) {
                        self.discard(&group).await?;
                    }
                }
                self.0.lines.forget(&name)?;
                continue;
            };
            if let Some(coming) = line.coming.as_ref().and_then(|coming| self.by_id(coming)) {
                if line.kept.as_ref() == Some(&coming.name) {
                    self.end(&coming, 0).await?;
                } else {
                    self.discard(&coming).await?;
                }
            }
            let line = Line { coming: None, ..line };
            self.0.lines.set(&name, line.clone())?;
            if let (Some(until), Some(kept)) =
                (line.retires, line.kept.as_ref().and_then(|kept| self.by_id(kept)))
            {
                let engine = self.clone();
                tokio::spawn(async move {
                    if let Err(error) = engine.retire(&serving.service, &kept, until).await {
                        tracing::error!(group = kept.name, %error, "it was replaced and is not stopped");
                    }
                });
            }
        }
        Ok(())
    }

    /// The group was removed: whoever served before goes with it.
    pub(super) async fn succeeded_by_nobody(&self, group: &Group) -> Result<(), Error> {
        let Some(line) = self.0.lines.get(&group.service) else { return Ok(()) };
        if line.kept.as_ref() == Some(&group.name) {
            return self.0.lines.set(&group.service, Line { kept: None, retires: None, ..line });
        }
        if line.serving == group.name {
            if let Some(kept) = line.kept.as_ref().and_then(|kept| self.by_id(kept)) {
                self.discard(&kept).await?;
            }
            self.0.lines.forget(&group.service)?;
        }
        Ok(())
    }

    /// The group that serves a name, which runs.
    fn serving(&self, name: &str) -> Result<Arc<Group>, Error> {
        let group = self.by_id(&self.line(name).serving);
        let group = group.ok_or_else(|| Error::Missing(format!("group {name} that could be replaced")))?;
        if !*group.kept_running.borrow() {
            return Err(Error::Conflict(format!(
                "{name} does not run: start it, or remove it and run the new one"
            )));
        }
        Ok(group)
    }

    fn line(&self, name: &str) -> Line {
        let alone = || Line { serving: name.to_owned(), coming: None, kept: None, retires: None };
        self.0.lines.get(name).unwrap_or_else(alone)
    }

    fn by_id(&self, id: &str) -> Option<Arc<Group>> {
        lock(&self.0.groups).get(id).cloned()
    }

    /// `NAME--2` and so on; the first group of a name has that itself.
    fn new_id(&self, name: &str) -> Result<String, Error> {
        let groups = lock(&self.0.groups);
        let mut ids = (2..MAX_NUMBER).map(|number| format!("{name}--{number}"));
        let id = ids.find(|id| !groups.contains_key(id));
        id.filter(|id| boltseal_runtime::network::is_name(id)).ok_or_else(|| {
            Error::Definition(format!("{name} is too long a name for a group that is replaced"))
        })
    }

    async fn begin_new(&self, run: api::Run, read: ask::Read, id: &str) -> Result<Arc<Group>, Error> {
        let inner = Arc::clone(&self.0);
        let (handle, of_id) = (tokio::runtime::Handle::current(), id.to_owned());
        let made = tokio::task::spawn_blocking(move || inner.make(run, &read, &of_id, &handle));
        let new = Arc::new(made.await.map_err(|_| Error::Stopping)??);
        new.serve(false);
        let unverified = new.shown().unverified.to_string();
        let details = vec![("plan", new.plan_digest.to_string()), ("unverified", unverified)];
        if let Err(error) = self.write("group.run", id, None, details) {
            // What cannot be written down is not done, and what was made for it goes.
            self.0.clear(&new.places, &new.name)?;
            return Err(error);
        }
        let begun = {
            // Whoever finds it from now on waits until it is begun.
            let _gone = new.turn.lock().await;
            lock(&self.0.groups).insert(id.to_owned(), Arc::clone(&new));
            self.0.begin(&new, Vec::new()).await
        };
        if let Err(error) = begun {
            self.discard(&new).await?;
            return Err(error);
        }
        Ok(new)
    }

    async fn begin_again(&self, group: &Arc<Group>) -> Result<(), Error> {
        let gone = group.turn.lock().await;
        is_there(group, *gone)?;
        {
            let mut remembered = lock(&group.kept);
            remembered.stopped = false;
            remembered.write(&group.places.kept())?;
        }
        group.told.send_replace(Told::Run);
        self.0.begin(group, Vec::new()).await
    }

    /// The name and its ports move, and the old group is stopped when its conversations are over.
    async fn hand_over(
        &self,
        name: &str,
        line: Line,
        old: &Arc<Group>,
        new: &Arc<Group>,
        strategy: Strategy,
        drain: Option<u32>,
    ) -> Result<(), Error> {
        let drain = SignedDuration::from_secs(i64::from(drain.unwrap_or(DRAIN)));
        let until = Timestamp::now().saturating_add(drain).unwrap_or(Timestamp::MAX);
        let retires = (strategy == Strategy::Rolling).then_some(until);
        let after = Line { serving: new.name.clone(), coming: None, kept: Some(old.name.clone()), retires };
        self.0.lines.set(name, after)?;
        if let Err(error) = self.swap(old, new).await {
            self.0.lines.set(name, line)?;
            self.swap(new, old).await?;
            return Err(error);
        }
        // It is so already, and was written down when it was asked for.
        let details = vec![("from", old.name.clone()), ("to", new.name.clone())];
        if let Err(error) = self.write("group.rolled-out", name, None, details) {
            tracing::error!(group = name, %error, "not written down");
        }
        match retires {
            Some(until) => self.retire(name, old, until).await,
            None => Ok(()),
        }
    }

    /// At one moment, for the network and its names.
    async fn swap(&self, old: &Arc<Group>, new: &Arc<Group>) -> Result<(), Error> {
        old.serve(false);
        new.serve(true);
        let changed: BTreeMap<_, _> =
            [old, new].iter().map(|group| (group.name.clone(), group.of_network())).collect();
        let inner: Arc<Inner> = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            let mut network = lock(&inner.network);
            let done = network.change(changed);
            inner.resolver.know(network.names());
            done
        });
        done.await.map_err(|_| Error::Stopping)?.map_err(|error| Error::Runtime(error.to_string()))
    }

    /// Stops it as soon as nobody talks with it any more, and at the latest then.
    async fn retire(&self, name: &str, old: &Arc<Group>, until: Timestamp) -> Result<(), Error> {
        let ports = ports(old);
        let mut quiet = 0;
        while quiet < QUIET && Timestamp::now() < until {
            let open = process(old).map_or(0, |pid| sockets::open(pid, &ports));
            quiet = if open == 0 { quiet + 1 } else { 0 };
            tokio::time::sleep(LOOK).await;
        }
        // Somebody may have let it serve again meanwhile.
        let line = self.line(name);
        if line.kept.as_ref() != Some(&old.name) || line.retires != Some(until) {
            return Ok(());
        }
        self.end(old, keeper::GRACE).await?;
        self.0.lines.set(name, Line { retires: None, ..line })
    }

    /// Stops a group, which stays as it is.
    async fn end(&self, group: &Arc<Group>, grace: u32) -> Result<(), Error> {
        {
            let gone = group.turn.lock().await;
            is_there(group, *gone)?;
            self.tell_to_stop(group, grace)?;
        }
        ended(group, grace).await
    }

    /// Removes a group and all that is left of it.
    async fn discard(&self, group: &Arc<Group>) -> Result<(), Error> {
        let mut gone = group.turn.lock().await;
        if *gone {
            return Ok(());
        }
        if *group.kept_running.borrow() {
            self.tell_to_stop(group, 0)?;
            ended(group, 0).await?;
        }
        self.write("group.remove", &group.name, None, Vec::new())?;
        let (inner, of_group) = (Arc::clone(&self.0), Arc::clone(group));
        let cleared = tokio::task::spawn_blocking(move || inner.clear(&of_group.places, &of_group.name));
        cleared.await.map_err(|_| Error::Stopping)??;
        *gone = true;
        lock(&self.0.groups).remove(&group.name);
        Ok(())
    }
}

/// As people call it: by its name where it serves.
pub fn called(group: &Group) -> String {
    match (group.serves(), group.name == group.service) {
        (true, _) => group.service.clone(),
        (false, true) => format!("{}{FIRST}", group.service),
        (false, false) => group.name.clone(),
    }
}

fn seconds(number: u32) -> Duration {
    Duration::from_secs(u64::from(number))
}
