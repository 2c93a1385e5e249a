//! One group: what is remembered of it, and where.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use boltseal_api::groups::{self as api, GroupState};
use boltseal_image::Unpacked;
use boltseal_model::{Config, Digest, Ruling, Timestamp};
use boltseal_orchestrator::aci::Renewal;
use boltseal_runtime::Plan;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{Error, container::Contained, identity::Identity, rollout, volumes::Secrets};
use crate::network::{self, Attached, Namespace, Slot};

/// What is remembered of a group while the machine runs. It has secrets, and lies in memory.
#[derive(Serialize, Deserialize)]
pub struct Kept {
    /// What was asked for.
    pub run: api::Run,
    /// When.
    pub created: Timestamp,
    /// Its place on the node: its address, and its range of users.
    pub slot: u16,
    /// What its images were, when they were looked at.
    pub images: Vec<KeptImage>,
    /// Whether it was told to stop.
    #[serde(default)]
    pub stopped: bool,
    /// What it is called among all groups, where that is not the name in its definition: it was to replace another.
    #[serde(default)]
    pub id: Option<String>,
}

/// An image as it was looked at.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeptImage {
    /// As the group names it.
    pub name: String,
    /// Of its manifest.
    pub digest: Option<Digest>,
    /// What it says about itself.
    pub config: Config,
    /// Its user by number.
    pub user: Option<(u32, u32)>,
    /// Its layers, the base first.
    pub layers: Vec<Digest>,
    /// What was said about it.
    pub ruling: Ruling,
}

/// What a group is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Run.
    Run,
    /// End, with so many seconds to do it.
    Stop(u32),
    /// Nothing: whoever keeps it goes away, and it stays as it is.
    LetGo,
}

/// A group on this node.
pub struct Group {
    /// What it is called among all groups of the node.
    pub name: String,
    /// By which name others know it where it serves: that of its definition.
    pub service: String,
    /// Whether it is the one of this name that serves.
    pub serves: AtomicBool,
    /// What is remembered.
    pub kept: Mutex<Kept>,
    /// How it is confined.
    pub plan: Plan,
    /// Of that.
    pub plan_digest: Digest,
    /// Layers that its images are made of: not removed while it is here.
    pub layers: BTreeMap<Digest, Arc<Unpacked>>,
    /// Its containers, those that initialise first.
    pub containers: Vec<Arc<Contained>>,
    /// What happens when a container ends.
    pub restart: Restart,
    /// When it is replaced by itself.
    pub renewal: Renewal,
    /// As whom it runs.
    pub identity: Identity,
    /// Files of its secret volumes.
    pub secrets: Mutex<Secrets>,
    /// What it is told.
    pub told: watch::Sender<Told>,
    /// Whether its keeper is at it.
    pub kept_running: watch::Sender<bool>,
    /// Held by whoever starts, stops or removes it, one after the other. True once it is removed: who waited finds nothing.
    pub turn: tokio::sync::Mutex<bool>,
    /// Its network while it runs.
    pub network: Mutex<Option<(Namespace, Option<Attached>)>>,
    /// Where it lies.
    pub places: Places,
}

/// What happens when a container ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// It is started again.
    Always,
    /// It is started again where it ended badly.
    OnFailure,
    /// Nothing.
    Never,
}

impl Restart {
    /// As Azure writes it; `Always` where nothing is written.
    pub fn of(text: Option<&str>) -> Option<Self> {
        match text {
            None => Some(Self::Always),
            Some(text) if text.eq_ignore_ascii_case("always") => Some(Self::Always),
            Some(text) if text.eq_ignore_ascii_case("onfailure") => Some(Self::OnFailure),
            Some(text) if text.eq_ignore_ascii_case("never") => Some(Self::Never),
            Some(_) => None,
        }
    }

    /// Whether one that ended with `code` is started again.
    pub const fn again(self, code: i32) -> bool {
        match self {
            Self::Always => true,
            Self::OnFailure => code != 0,
            Self::Never => false,
        }
    }
}

/// Where a group lies.
#[derive(Clone, Debug)]
pub struct Places {
    /// In memory: bundles, secrets, what is remembered.
    pub run: PathBuf,
    /// On disk: logs.
    pub data: PathBuf,
    /// States of all containers, as the runtime keeps them.
    pub state: PathBuf,
}

impl Places {
    /// Of a group.
    pub fn new(settings: &super::Settings, name: &str) -> Self {
        Self {
            run: settings.run.join("groups").join(name),
            data: settings.data.join("groups").join(name),
            state: settings.run.join("state"),
        }
    }

    /// The folder of a container.
    pub fn container(&self, name: &str) -> PathBuf {
        self.run.join("containers").join(name)
    }

    /// The two files of its log.
    pub fn logs(&self, name: &str) -> [PathBuf; 2] {
        [0, 1].map(|number| self.data.join(format!("{name}.log.{number}")))
    }

    /// What is remembered of the group.
    pub fn kept(&self) -> PathBuf {
        self.run.join("group.json")
    }
}

impl Kept {
    /// Reads it; what it was if it could not be read is an error that names the file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(Error::io(path.display()))?;
        serde_json::from_slice(&text).map_err(|error| Error::io(path.display())(error.into()))
    }

    /// Writes it, all or nothing.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let text = serde_json::to_vec(self).map_err(|error| Error::io(path.display())(error.into()))?;
        replace(path, &text).map_err(Error::io(path.display()))
    }
}

/// Puts a file in place of what is there, all or nothing, for root alone.
pub fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(text)?;
    fresh.as_file().sync_all()?;
    fresh.persist(path).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}

/// Makes a folder that only root can look into.
pub fn private(path: &Path) -> Result<(), Error> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io(path.display()))
}

/// Makes a folder that everybody can go through, and only root can look into.
pub fn passable(path: &Path) -> Result<(), Error> {
    private(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o711)).map_err(Error::io(path.display()))
}

impl Group {
    /// As it is shown.
    pub fn shown(&self) -> api::Group {
        let containers: Vec<api::Container> = self.containers.iter().map(|one| one.shown()).collect();
        let kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let address = self.network.lock().ok().and_then(|network| {
            network
                .as_ref()
                .and_then(|(_, attached)| attached.as_ref().map(|attached| attached.address.to_string()))
        });
        api::Group {
            name: rollout::called(self),
            state: self.state(&containers, kept.stopped),
            created: kept.created,
            plan: self.plan_digest.to_string(),
            unverified: kept.images.iter().any(|image| !image.ruling.passes()),
            address,
            containers,
        }
    }

    /// Whether it is the one of its name that serves.
    pub fn serves(&self) -> bool {
        self.serves.load(Ordering::SeqCst)
    }

    /// It serves from now on, or does not any more. The network has to be told.
    pub fn serve(&self, serves: bool) {
        self.serves.store(serves, Ordering::SeqCst);
    }

    /// What the network has to know of it: one that does not serve has neither the name nor the ports of the machine.
    pub fn of_network(&self) -> network::Group {
        let mut network = self.plan.network.clone();
        let serves = self.serves();
        if !serves {
            network.ports.iter_mut().for_each(|port| port.published = None);
        }
        network::Group {
            slot: Slot::new(self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).slot),
            name: if serves { self.service.clone() } else { self.name.clone() },
            containers: self.containers.iter().map(|one| one.name().to_owned()).collect(),
            network,
        }
    }

    fn state(&self, containers: &[api::Container], stopped: bool) -> GroupState {
        let runs = |one: &api::Container| matches!(one.state, api::State::Running { .. });
        let is_kept = *self.kept_running.borrow();
        let mains = || containers.iter().filter(|one| !one.initialises);
        if stopped {
            return if is_kept { GroupState::Stopping } else { GroupState::Stopped };
        }
        if !is_kept {
            let well = containers.iter().all(|one| one.ended.as_ref().is_some_and(|ended| ended.code == 0));
            return if well { GroupState::Succeeded } else { GroupState::Failed };
        }
        if mains().all(|one| runs(one) || one.ended.as_ref().is_some_and(|ended| ended.code == 0)) {
            GroupState::Running
        } else {
            GroupState::Starting
        }
    }
}
