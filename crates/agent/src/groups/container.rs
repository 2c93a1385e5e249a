//! One container: how it is started, and what it is at.

use std::{
    fs,
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use boltseal_api::groups as api;
use boltseal_model::{Digest, Ruling, Timestamp};
use boltseal_orchestrator::aci::Probes;
use boltseal_runtime::{
    bundle, plan,
    start::{
        self, End, Layer, Start, Started,
        attend::{self, Attended, Size},
        status::Status,
    },
};
use zeroize::Zeroizing;

use super::{
    Error, confine,
    group::{Group, passable, private, replace},
    volumes,
};

/// How long what an agent that is gone had begun may take.
const SETTLING: Duration = Duration::from_secs(5);
/// File that says that its end was written down.
const TOLD: &str = "told";
/// Bytes of each of the two files of a log.
const LOG: u64 = 8 << 20;

/// Secret variables: names and values.
pub type Variables = Vec<(String, Zeroizing<Vec<u8>>)>;

/// A container of a group.
pub struct Contained {
    /// How it is confined.
    pub plan: plan::Container,
    /// Its layers, the base first.
    pub layers: Vec<Digest>,
    /// What was said about its image.
    pub ruling: Ruling,
    /// How it is found to be well.
    pub probes: Probes,
    /// Secret variables.
    pub secrets: Variables,
    seen: Mutex<Seen>,
}

/// What a container is at.
#[derive(Clone, Debug)]
pub struct Seen {
    pub state: api::State,
    pub started: Option<Started>,
    pub starts: u32,
    pub ready: bool,
    pub ended: Option<api::Ended>,
}

/// What was found of a container after the agent started anew.
#[derive(Clone, Debug)]
pub enum Found {
    /// It was never started.
    Never,
    /// It runs.
    Runs(Started),
    /// It ended, and whether that was written down.
    Ended(Status, bool),
}

impl Contained {
    /// Not started yet.
    pub fn new(
        plan: plan::Container,
        layers: Vec<Digest>,
        ruling: Ruling,
        probes: Probes,
        secrets: Variables,
    ) -> Self {
        let state = api::State::Waiting { why: "it has not been started".to_owned() };
        let seen = Seen { state, started: None, starts: 0, ready: false, ended: None };
        Self { plan, layers, ruling, probes, secrets, seen: Mutex::new(seen) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// What it is at.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It waits for something.
    pub fn waits(&self, why: impl Into<String>) {
        let mut seen = self.seen();
        seen.state = api::State::Waiting { why: why.into() };
        (seen.started, seen.ready) = (None, false);
    }

    /// It runs.
    pub fn runs(&self, started: Started, is_new: bool) {
        let mut seen = self.seen();
        seen.state = api::State::Running { pid: started.pid, since: Timestamp::now() };
        seen.started = Some(started);
        seen.ready = self.probes.readiness.is_none();
        seen.starts += u32::from(is_new);
    }

    /// It ended.
    pub fn ended(&self, ended: api::Ended) {
        let mut seen = self.seen();
        seen.state = api::State::Ended;
        (seen.started, seen.ready) = (None, false);
        seen.ended = Some(ended);
    }

    /// As it is shown.
    pub fn shown(&self) -> api::Container {
        let seen = self.seen().clone();
        api::Container {
            name: self.plan.name.clone(),
            image: self.plan.image.clone(),
            digest: self.plan.digest.as_ref().map(ToString::to_string),
            verdict: self.ruling.why.clone(),
            initialises: self.plan.initialises,
            state: seen.state,
            restarts: seen.starts.saturating_sub(1),
            ready: seen.ready,
            terminal: self.plan.terminal,
            input: self.plan.input,
            ended: seen.ended,
        }
    }
}

/// What the runtime calls it.
pub fn id(group: &Group, one: &Contained) -> String {
    format!("{}.{}", group.name, one.name())
}

/// Its control group.
pub fn cgroup(group: &Group, one: &Contained) -> String {
    format!("/boltseal/{}/{}", group.name, one.name())
}

/// What ends it.
fn end_of(group: &Group, one: &Contained) -> End {
    End { id: id(group, one), state: group.places.state.clone(), cgroup: cgroup(group, one) }
}

/// Starts it, by this program or another runtime. Takes a while; for a thread that may wait.
pub fn start(
    program: &Path,
    runtime: Option<&Path>,
    group: &Group,
    one: &Contained,
) -> Result<Started, Error> {
    let folder = group.places.container(one.name());
    let bundle = folder.join("bundle");
    for path in
        [&group.places.run, &group.places.run.join("containers"), &folder, &bundle, &bundle.join("stack")]
    {
        passable(path)?;
    }
    private(&group.places.state)?;
    private(&group.places.data)?;
    // What is left of the last time is no part of this one.
    confine::end(program, end_of(group, one))?;
    // Whoever finds this one later must not take what was written of the last one for its own.
    for name in ["started", "status", TOLD] {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io(folder.display())(error));
            }
            _ => {}
        }
    }
    let volumes = volumes::prepare(group, one)?;
    let network = {
        use std::os::fd::AsFd as _;
        // Not held any longer: whoever asks how the group is does not wait for starts.
        let network = group.network.lock().unwrap_or_else(PoisonError::into_inner);
        network.as_ref().map(|(namespace, _)| {
            format!("/proc/{}/fd/{}", std::process::id(), namespace.as_fd().as_raw_fd()).into()
        })
    };
    let places = bundle::Places {
        root: bundle.join("rootfs"),
        volumes: volumes.folders,
        files: volumes.files,
        cgroup: cgroup(group, one),
        hostname: group.service.clone(),
        sys: network.is_some().then(|| bundle.join("sys")),
    };
    passable(&places.root)?;
    let mut specification =
        bundle::specification(&one.plan, &places).map_err(|error| Error::Runtime(error.to_string()))?;
    if let Some(process) = specification.process_mut() {
        let mut env = process.env().clone().unwrap_or_default();
        for (name, value) in &one.secrets {
            env.push(format!("{name}={}", String::from_utf8_lossy(value)));
        }
        process.set_env(Some(env));
    }
    let text = serde_json::to_vec(&specification).map_err(|error| Error::io("config.json")(error.into()))?;
    let config = bundle.join("config.json");
    replace(&config, &text).map_err(Error::io(config.display()))?;
    let wanted = Start {
        id: id(group, one),
        state: group.places.state.clone(),
        root: Some(start::Stacked {
            layers: stacked(group, one)?,
            users: one.plan.users,
            place: bundle.join("stack"),
        }),
        bundle,
        network,
        logs: group.places.logs(one.name()),
        log_limit: LOG,
        status: folder.join("status"),
        attended: attended(group, one),
        runtime: runtime.map(Path::to_owned),
    };
    let started = confine::start(program, wanted)?;
    let text = serde_json::to_vec(&started).map_err(|error| Error::io("started")(error.into()))?;
    replace(&folder.join("started"), &text).map_err(Error::io(folder.display()))?;
    Ok(started)
}

/// How somebody can sit at it. It is theirs who ran it until it was started once.
fn attended(group: &Group, one: &Contained) -> Option<Attended> {
    let kept = group.kept.lock().unwrap_or_else(PoisonError::into_inner);
    let how = kept.run.attended?;
    let terminal = how.terminal.map(|(rows, columns)| Size { rows, columns });
    Some(Attended { terminal, input: how.input, held: how.held && one.seen().starts == 0 })
}

/// Where they come to; none where nobody can.
pub fn seat(group: &Group, one: &Contained) -> Option<PathBuf> {
    let kept = group.kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.run.attended.map(|_| attend::socket(&group.places.container(one.name()).join("bundle")))
}

/// The layers of its image, as folders.
fn stacked(group: &Group, one: &Contained) -> Result<Vec<Layer>, Error> {
    let layers = one.layers.iter().map(|digest| {
        // Without it, the container would see files that its image hides, or miss some.
        let missing = || Error::Runtime(format!("layer {digest} of its image is not on this node any more"));
        let layer = group.layers.get(digest).ok_or_else(missing)?;
        Ok(Layer {
            folder: layer.path.clone(),
            implied: layer.index.implied.clone(),
            hides_all: layer.index.hides_all,
        })
    });
    layers.collect()
}

/// Removes what is left of it, and says how it ended.
pub fn clean(program: &Path, group: &Group, one: &Contained) -> Result<Status, Error> {
    confine::end(program, end_of(group, one))?;
    let status = Status::read(&group.places.container(one.name()).join("status"));
    Ok(status.unwrap_or_else(Status::killed))
}

/// Remembers that its end was written down, so that the next agent does not do it again.
pub fn told(group: &Group, one: &Contained) {
    if let Err(error) = fs::File::create(group.places.container(one.name()).join(TOLD)) {
        tracing::warn!(container = id(group, one), %error, "its end may be told twice");
    }
}

/// What there is of it after the agent started anew.
///
/// `is_told` is what the log knows about its end. The mark is for ends that were told so long ago that the log forgot them.
pub fn find(group: &Group, one: &Contained, is_told: bool) -> Found {
    let folder = group.places.container(one.name());
    // The process that a killed agent had asked to make it may still be at it. What comes of that is taken over: done
    // anew, a job would begin twice.
    match start::settled(&group.places.state, &id(group, one), SETTLING) {
        Ok(true) => {}
        Ok(false) => tracing::warn!(container = id(group, one), "somebody is still making or ending it"),
        Err(error) => tracing::warn!(container = id(group, one), %error, "its lock"),
    }
    let is_told = is_told || folder.join(TOLD).exists();
    // Whatever is still there of its first process: that wrote this as the last thing it did.
    if let Some(status) = Status::read(&folder.join("status")) {
        return Found::Ended(status, is_told);
    }
    // Written after it was started; the runtime's own state is there in between.
    let told: Option<Started> =
        fs::read(folder.join("started")).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let of_runtime = start::found(&group.places.state, &id(group, one), &cgroup(group, one));
    if let Some(started) = of_runtime.or(told).filter(start::runs) {
        return Found::Runs(started);
    }
    match told {
        // It was started, and nobody was left to say how it ended.
        Some(_) => Found::Ended(Status::killed(), is_told),
        // Whoever started it was killed before it was told, so that it counts as not started.
        None => Found::Never,
    }
}
