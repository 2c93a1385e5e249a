//! What can be asked about one container.

use std::{path::PathBuf, sync::Arc};

use boltseal_api::groups as api;
use boltseal_runtime::start::{Join, Started};

use super::{
    super::{
        Error,
        container::{self, Contained},
        group::Group,
    },
    Engine, lock,
};

impl Engine {
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
}

impl Engine {
    /// How a group is confined.
    ///
    /// # Errors
    /// Where there is none.
    pub fn planned(&self, name: &str) -> Result<api::Planned, Error> {
        let group = self.group(name)?;
        let plan = serde_json::to_value(&group.plan).map_err(|error| Error::Runtime(error.to_string()))?;
        let kept = lock(&group.kept);
        Ok(api::Planned { plan, place: kept.slot, images: kept.run.images.clone() })
    }

    /// Where somebody can sit at a container. That they were shown there is in the log when this comes back.
    ///
    /// # Errors
    /// Where there is no such container, or nobody can sit at it.
    pub fn attend(&self, name: &str, container: &str) -> Result<api::Seat, Error> {
        let group = self.group(name)?;
        let one = find(&group, container)?;
        let socket = container::seat(&group, &one).ok_or_else(|| {
            Error::Conflict(format!(
                "{name}/{container} has no terminal and reads nothing: see what it writes with boltseal logs -f, or join it with \
                 boltseal exec"
            ))
        })?;
        self.write("container.attend", name, Some(one.name()), Vec::new())?;
        let socket = socket.display().to_string();
        Ok(api::Seat { socket, terminal: one.plan.terminal, input: one.plan.input })
    }
}

fn find(group: &Group, container: &str) -> Result<Arc<Contained>, Error> {
    let found = group.containers.iter().find(|one| one.name() == container);
    found.cloned().ok_or_else(|| Error::Missing(format!("container {}/{container}", group.name)))
}
