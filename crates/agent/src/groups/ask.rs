//! A definition made into a group: read, its images admitted and pulled, planned.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, atomic::AtomicBool},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_api::groups::Run;
use boltseal_flow::launch;
use boltseal_image::{Options, Unpacked};
use boltseal_model::{Digest, Reference, Ruling};
use boltseal_orchestrator::{
    Leaf, Workload,
    aci::{self, Needs},
    document::MAX_BYTES,
};
use boltseal_runtime::{Host, Image, Plan, Wanted, network::is_name, plan};
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::{
    Error, Judge,
    container::{Contained, Variables},
    engine::Inner,
    group::{Group, Kept, KeptImage, Places, Restart, Told},
    identity::Identity,
    is_full,
    volumes::Secrets,
};

/// A definition that was read.
pub struct Read {
    pub workload: Workload,
    pub needs: Needs,
    pub restart: Restart,
}

/// Reads the one group of a definition. What cannot be told from it is refused here, before anything is pulled.
pub fn read(run: &Run) -> Result<Read, Error> {
    let file = if run.file.is_empty() { "the definition" } else { &run.file };
    if run.definition.len() > MAX_BYTES {
        return Err(Error::Definition(format!("{file} is larger than {MAX_BYTES} bytes")));
    }
    let read = boltseal_orchestrator::read(file, run.definition.as_bytes())
        .map_err(|error| Error::Definition(error.to_string()))?;
    let mut workloads = read.workloads.into_iter();
    let (Some(workload), None) = (workloads.next(), workloads.next()) else {
        return Err(Error::Definition(format!("{file} does not define one container group")));
    };
    let name = &workload.id.name;
    if !is_name(name) || *name != name.to_ascii_lowercase() {
        return Err(Error::Definition(format!(
            "{file}: `{name}` is no name of a group: 1 to 63 of a-z, 0-9 and -, with a letter, no - at its ends"
        )));
    }
    if run.attended.is_some() && workload.containers.len() != 1 {
        return Err(Error::Definition(format!(
            "{file} has {} containers: a terminal, or what is typed, is for a group of one",
            workload.containers.len()
        )));
    }
    for one in &workload.containers {
        if !is_name(&one.name) {
            return Err(Error::Definition(format!(
                "{file}, line {}: `{}` is no name of a container: 1 to 63 letters, digits and -",
                one.place.line, one.name
            )));
        }
    }
    let restart = match &workload.restart {
        Leaf::Unknown(why, place) => {
            return Err(Error::Definition(format!("{file}, line {}: {why}", place.line)));
        }
        leaf => leaf.known().map(String::as_str),
    };
    let restart = Restart::of(restart)
        .ok_or_else(|| Error::Definition(format!("{file}: restartPolicy is Always, OnFailure or Never")))?;
    let needs = aci::needs(&workload);
    if let Some((place, why)) = needs.wrong.first() {
        return Err(Error::Definition(format!("{file}, line {}, {}: {why}", place.line, place.path)));
    }
    Ok(Read { workload, needs, restart })
}

/// Looks at each image, asks about it and pulls it. Takes a while; for a thread that may wait.
pub fn images(
    inner: &Inner,
    run: &Run,
    read: &Read,
    handle: &tokio::runtime::Handle,
) -> Result<(Vec<KeptImage>, Vec<Arc<Unpacked>>), Error> {
    let mut names: Vec<&String> =
        read.workload.containers.iter().filter_map(|one| one.image.known()).collect();
    names.sort_unstable();
    names.dedup();
    let (mut kept, mut held) = (Vec::new(), Vec::new());
    for name in names {
        let (target, options) = inner.target(run, read, name, handle)?;
        // Its digest first: what is asked about, pulled and run is one and the same.
        let digest =
            launch::resolve(&target, &options).map_err(|error| Error::Definition(error.to_string()))?;
        let pinned = digest.as_ref().and_then(|digest| launch::pinned(&target, digest));
        let target = pinned.unwrap_or(target);
        let ruling = ruling(name, digest.as_ref(), &target, &options, &inner.judge, handle);
        if !ruling.passes() && !run.allow_unverified {
            return Err(Error::Denied {
                why: format!("{name}: {}", ruling.why),
                next: Some(
                    "have it judged, or run it all the same with --allow-unverified, which the log will say"
                        .to_owned(),
                ),
            });
        }
        let (image, unpacked) = launch::fetch(name, &target, &options, &inner.layers).map_err(|error| {
            match error.to_string() {
                why if is_full(&error) => Error::Full(format!("{name}: {why}")),
                why => Error::Definition(why),
            }
        })?;
        if digest.is_some() && image.digest != digest {
            return Err(Error::Conflict(format!(
                "{name} became another image while it was pulled: try again"
            )));
        }
        kept.push(KeptImage {
            name: image.name,
            digest: image.digest,
            config: image.config,
            user: image.user,
            layers: unpacked.iter().map(|layer| layer.diff_id.clone()).collect(),
            ruling,
        });
        held.extend(unpacked.into_iter().map(Arc::new));
    }
    Ok((kept, held))
}

/// What is said of an image.
pub fn ruling(
    name: &str,
    digest: Option<&Digest>,
    target: &str,
    options: &Options<'_>,
    judge: &Arc<Judge>,
    handle: &tokio::runtime::Handle,
) -> Ruling {
    if let Judge::Own(own) = &**judge {
        return (own.0)(target, options);
    }
    let pinned = digest.and_then(|digest| {
        let reference: Reference = name.parse().ok()?;
        format!("{}@{digest}", reference.name()).parse().ok()
    });
    let Some(pinned) = pinned else {
        return Ruling::unknown(&format!("{name} has no digest that a verdict could be about"));
    };
    handle.block_on(judge.ruling(&pinned)).unwrap_or_else(|| Ruling::unknown("nobody was asked"))
}

/// The group of what was read and looked at.
pub fn group(
    kept: Kept,
    read: &Read,
    layers: BTreeMap<Digest, Arc<Unpacked>>,
    places: Places,
    host: &Host,
) -> Result<Group, Error> {
    let seen: Vec<Image> = kept
        .images
        .iter()
        .map(|image| Image {
            name: image.name.clone(),
            digest: image.digest.clone(),
            config: image.config.clone(),
            user: image.user,
        })
        .collect();
    let mut plan =
        plan(&Wanted { workload: &read.workload, images: &seen, host, range: u32::from(kept.slot) });
    if let Some(how) = kept.run.attended {
        plan.containers.iter_mut().for_each(|one| one.attend(how.terminal.is_some(), how.input));
    }
    let secrets = volumes(&kept.run, &read.needs)?;
    let mut containers = Vec::new();
    for one in &plan.containers {
        let image = kept.images.iter().find(|image| image.name == one.image);
        let (layers, ruling) = image.map_or_else(
            || (Vec::new(), Ruling::unknown("its image was not looked at")),
            |image| (image.layers.clone(), image.ruling.clone()),
        );
        let probes = read.needs.probes.get(&one.name).cloned().unwrap_or_default();
        let variables = variables(&kept.run, &read.needs, &one.name)?;
        containers.push(Arc::new(Contained::new(one.clone(), layers, ruling, probes, variables)));
    }
    let told = if kept.stopped { Told::Stop(0) } else { Told::Run };
    let service = read.workload.id.name.clone();
    Ok(Group {
        name: kept.id.clone().unwrap_or_else(|| service.clone()),
        service,
        serves: AtomicBool::new(true),
        plan_digest: digest(&plan),
        plan,
        layers,
        containers,
        restart: read.restart,
        renewal: read.needs.renewal.clone(),
        identity: Identity::new(read.needs.managed.clone()),
        secrets: Mutex::new(secrets),
        told: watch::Sender::new(told),
        kept_running: watch::Sender::new(false),
        turn: tokio::sync::Mutex::default(),
        network: Mutex::new(None),
        places,
        kept: Mutex::new(kept),
    })
}

/// Whether it can be run, and why not.
pub fn runs(plan: &Plan, strict: bool) -> Result<(), Error> {
    let why = |lines: Vec<String>| lines.join("\n");
    if plan.is_refused() {
        let lines = plan.refusals.iter().map(|one| format!("line {}, {}: {}", one.line, one.path, one.why));
        return Err(Error::Denied { why: why(lines.collect()), next: None });
    }
    if !plan.gaps.is_empty() {
        return Err(Error::Definition(why(plan.gaps.clone())));
    }
    for one in &plan.containers {
        let text = one.command.iter().chain(one.env.0.keys()).chain(one.env.0.values());
        if text.into_iter().any(|text| text.contains('\0')) {
            return Err(Error::Definition(format!(
                "{}: a NUL in a command or a variable, where the kernel takes none",
                one.name
            )));
        }
    }
    if strict && !plan.holds() {
        let lacks = plan.containers.iter().flat_map(|one| {
            one.controls
                .iter()
                .filter(|control| matches!(control.state.word(), "partial" | "unavailable"))
                .map(|control| {
                    format!(
                        "{}: {} is {}: {}",
                        one.name,
                        control.name,
                        control.state.word(),
                        control.state.why().unwrap_or_default()
                    )
                })
        });
        return Err(Error::Denied {
            why: why(lacks.collect()),
            next: Some("leave out --strict to run it all the same".to_owned()),
        });
    }
    Ok(())
}

fn digest(plan: &Plan) -> Digest {
    Digest::of(&serde_json::to_vec(plan).unwrap_or_default())
}

/// Values of secret variables; those that do not stand in the file have to be given.
fn variables(run: &Run, needs: &Needs, container: &str) -> Result<Variables, Error> {
    needs
        .variables
        .iter()
        .filter(|one| one.container == container)
        .map(|one| {
            let name = format!("{container}/{}", one.name);
            let value = value(run, &name, one.value.as_ref())?;
            if value.contains(&0) || std::str::from_utf8(&value).is_err() {
                return Err(Error::Definition(format!(
                    "the secret {name} is no text, and only text can be a variable: give it to the container as a file of a \
                     secret volume"
                )));
            }
            Ok((one.name.clone(), value))
        })
        .collect()
}

fn volumes(run: &Run, needs: &Needs) -> Result<Secrets, Error> {
    let mut secrets = Secrets::new();
    for (volume, files) in &needs.volumes {
        let mut found = BTreeMap::new();
        for (file, stands) in files {
            found.insert(file.clone(), value(run, &format!("{volume}/{file}"), stands.as_ref())?);
        }
        secrets.insert(volume.clone(), found);
    }
    Ok(secrets)
}

fn value(run: &Run, name: &str, stands: Option<&Zeroizing<Vec<u8>>>) -> Result<Zeroizing<Vec<u8>>, Error> {
    match (run.secrets.get(name), stands) {
        (Some(given), _) => STANDARD
            .decode(given)
            .map(Zeroizing::new)
            .map_err(|_| Error::Definition(format!("the secret {name} is not in base64"))),
        (None, Some(stands)) => Ok(stands.clone()),
        (None, None) => Err(Error::Definition(format!(
            "the secret {name} does not stand in the file: give it with --secret {name}=FILE"
        ))),
    }
}
