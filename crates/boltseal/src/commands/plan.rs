//! `boltseal plan GROUP`

use std::{collections::BTreeMap, fs::File, io::Read as _, path::PathBuf};

use boltseal_api::groups::Planned;
use boltseal_flow::{Looking, Wanted as Asked, launch};
use boltseal_image::Options;
use boltseal_orchestrator::{Workload, document::MAX_BYTES};
use boltseal_runtime::{Host, Image, Plan, Wanted, bundle, plan, plan::Changes};

use crate::{
    console::Console,
    exit::{Exit, Failure},
    node::{Node, segment},
    output::{self, paint::clean, plans},
    progress::LayerBar,
};

/// What to plan.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Says for every container what it runs, as whom, what it can write to, and which controls hold on this machine: enforced, partial \
or unavailable with the reason, or opened by a line of the file. What will not be done for any line of a file (privileged \
containers, files and devices of the machine) is refused. Nothing is started.

With --diff, it says what is different from how the group of this name runs on this node now: as the file is, and as its images are \
by now. Values of variables and of secrets are no part of a plan, so another value is not shown.

With --format oci, the plan of a container is the `config.json` of an OCI bundle, which `runc run` takes.

Examples:
  boltseal plan group.yaml
  boltseal plan group.yaml --image registry.example.com/shop/web:v1=oci:web --format json > plan.json
  boltseal plan group.yaml --diff
  boltseal plan group.yaml --container web --format oci --rootfs rootfs > config.json

Exit codes: 0 it can be run, with --diff as it runs; 1 something it asks for is refused, with --diff something is different; \
2 usage; 3 something is not known, or --strict and a control does not hold; 4 internal fault")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command, none a state")]
pub struct Args {
    /// A container group as Azure has it: an ARM template, or YAML of `az container`
    #[arg(value_name = "GROUP")]
    group: PathBuf,
    /// Look at this image there instead of in its registry: `oci:FOLDER`, `docker-archive:FILE`, …
    #[arg(long, value_name = "IMAGE=TARGET", value_parser = pair)]
    image: Vec<(String, String)>,
    /// Look at no image: what containers run and as whom is then not known where the group does not say it
    #[arg(long, conflicts_with = "image")]
    without_images: bool,
    /// Let registries speak HTTP without TLS
    #[arg(long)]
    plain_http: bool,
    /// Say what is different from the group of this name that runs on this node
    #[arg(long)]
    diff: bool,
    /// End with exit code 3 where a control is partial or unavailable
    #[arg(long)]
    strict: bool,
    /// With a terminal of its own, as `boltseal run -t`; for a group of one container
    #[arg(long, short, visible_alias = "tty")]
    terminal: bool,
    /// With what is typed, as `boltseal run -i`; for a group of one container
    #[arg(long, short)]
    interactive: bool,
    /// How to write it
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    format: Form,
    /// Which container to write as a bundle, where there are several
    #[arg(long, value_name = "NAME")]
    container: Option<String>,
    /// Where the files of the image lie, for a bundle
    #[arg(long, value_name = "FOLDER", default_value = "rootfs")]
    rootfs: PathBuf,
    /// Where a volume lies, for a bundle
    #[arg(long, value_name = "NAME=FOLDER", value_parser = pair)]
    volume: Vec<(String, String)>,
    #[command(flatten)]
    node: Node,
}

/// How a plan is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people
    Table,
    /// For programs
    Json,
    /// One container, as an OCI runtime specification
    Oci,
}

/// Names of images have no `=`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Plans, prints, and answers.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    if args.diff && args.format == Form::Oci {
        return Err(Failure::usage("--diff is written as a table or as JSON, not as a bundle"));
    }
    let workload = group(args)?;
    let runs = if args.diff { Some(running(args, &workload.id.name)?) } else { None };
    let images = images(args, &workload, runs.as_ref(), console);
    // Its users outside follow from its place.
    let range = runs.as_ref().map_or(0, |runs| u32::from(runs.place));
    let mut made = plan(&Wanted { workload: &workload, images: &images, host: &Host::probe(), range });
    if args.terminal || args.interactive {
        let [one] = made.containers.as_mut_slice() else {
            return Err(Failure::usage("-i and -t are for a group of one container"));
        };
        one.attend(args.terminal, args.interactive);
    }
    if let Some(runs) = &runs {
        return differs(args, &made, runs, console);
    }
    let text = match args.format {
        Form::Table => plans::people(&made, console.paint(None)),
        Form::Json => output::json(&made)?,
        Form::Oci => specification(args, &made)?,
    };
    console.data(&text)?;
    Ok(if made.is_refused() {
        Exit::Denied
    } else if !made.gaps.is_empty() || (args.strict && !made.holds()) {
        Exit::Undecided
    } else {
        Exit::Pass
    })
}

/// How the group of this name runs on this node.
fn running(args: &Args, name: &str) -> Result<Planned, Failure> {
    let path = format!("/v1/groups/{}/plan", segment(name));
    Ok(args.node.agent()?.get(&path)?)
}

fn differs(args: &Args, made: &Plan, runs: &Planned, console: &Console) -> Result<Exit, Failure> {
    let planned = serde_json::to_value(made).map_err(Failure::fault)?;
    let changes = Changes::between(&made.name, &runs.plan, &planned);
    let text = match args.format {
        Form::Json => output::json(&changes)?,
        Form::Table | Form::Oci => plans::changes(&changes, console.paint(None)),
    };
    console.data(&text)?;
    Ok(if !changes.changes.is_empty() {
        Exit::Denied
    } else if !made.gaps.is_empty() || (args.strict && !made.holds()) {
        Exit::Undecided
    } else {
        Exit::Pass
    })
}

/// The one group of the file.
fn group(args: &Args) -> Result<Workload, Failure> {
    let (name, mut bytes) = (args.group.display(), Vec::new());
    let file =
        File::open(&args.group).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    file.map_err(|wrong| Failure::usage(format_args!("cannot read {name}: {wrong}")))?;
    let read = boltseal_orchestrator::read(&name.to_string(), &bytes).map_err(Failure::undecided)?;
    let mut workloads = read.workloads.into_iter();
    match (workloads.next(), workloads.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Failure::usage(format_args!("{name} defines no container group"))),
        (Some(_), Some(_)) => {
            Err(Failure::usage(format_args!("{name} defines more than one container group"))
                .next("put each into a file of its own"))
        }
    }
}

/// The images of its containers. One that cannot be looked at is a gap of the plan.
fn images(args: &Args, workload: &Workload, runs: Option<&Planned>, console: &Console) -> Vec<Image> {
    if args.without_images {
        return Vec::new();
    }
    // What it runs from, where nobody says otherwise.
    let known = runs.iter().flat_map(|runs| &runs.images);
    let given: BTreeMap<&str, &str> = known
        .chain(args.image.iter().map(|(name, at)| (name, at)))
        .map(|(name, at)| (name.as_str(), at.as_str()))
        .collect();
    let mut names: Vec<&String> = workload.containers.iter().filter_map(|one| one.image.known()).collect();
    names.sort_unstable();
    names.dedup();
    let mut found = Vec::new();
    for name in names {
        let target = given
            .get(name.as_str())
            .map_or_else(|| format!("docker://{name}"), |target| (*target).to_owned());
        let bar = LayerBar::new(console);
        let mut options = Options::default();
        options.plain_http = args.plain_http;
        options.progress = Some(&bar);
        let asked = Asked { target: &target, options: &options, cache: None, looking: Looking::default() };
        match launch::look(&asked, name) {
            Ok(image) => found.push(image),
            Err(wrong) => console.warning(format_args!(
                "{}: {}",
                clean(&target),
                clean(&Failure::from(wrong).to_string())
            )),
        }
    }
    found
}

fn specification(args: &Args, made: &Plan) -> Result<String, Failure> {
    let names = || made.containers.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    let one = match &args.container {
        Some(name) => made.containers.iter().find(|one| one.name == *name),
        None if made.containers.len() == 1 => made.containers.first(),
        None => None,
    };
    let one = one.ok_or_else(|| Failure::usage(format_args!("--container names one of {}", names())))?;
    if let Some(refusal) = made.refusals.first() {
        return Err(Failure::denied(format_args!(
            "line {}, {}: {}",
            refusal.line, refusal.path, refusal.why
        )));
    }
    let places = bundle::Places {
        root: args.rootfs.clone(),
        volumes: args.volume.iter().map(|(name, folder)| (name.clone(), PathBuf::from(folder))).collect(),
        cgroup: format!("/boltseal-{}-{}", made.name, one.name),
        hostname: made.name.clone(),
        ..bundle::Places::default()
    };
    let specification = bundle::specification(one, &places).map_err(Failure::undecided)?;
    output::json(&specification)
}
