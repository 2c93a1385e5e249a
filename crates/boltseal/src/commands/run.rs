//! `boltseal run IMAGE|GROUP`

mod image;
mod sit;

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_api::groups::{Ended, Group, GroupState, Run, Stop};
use boltseal_runtime::start::log::{Entry, Stream};

use self::image::of_image;
pub use self::{image::absolute, sit::sit};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    lent::keys::{self, Keys},
    node::{Asked, Node, segment},
    output::{Written, groups as output},
};

/// How long it is waited for a start that is shown.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);
/// Bytes of a definition, or of a secret.
pub const MAX_FILE: usize = 16 << 20;

/// What to run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A group is a container group as Azure Container Instances have it: an ARM template, or YAML of `az container`. An image alone \
is a group of one container, named after it.

Before anything starts, each image is resolved to its digest and asked about: of the server that the agent knows, or by the \
policy and the vulnerability data of this node. What is not allowed is not run. Then it is pulled, by that digest, and run with \
the least there is: users of its own, no capability, a root that cannot be written to, nothing executable on what can be, a \
closed network. `boltseal plan GROUP` shows all of it beforehand.

With an image and without --detach, what it writes is shown until it ends, and Ctrl-C stops it. With -i, it reads what comes on \
standard input, and gets the signals that come here. With -t, it has a terminal of its own, and with -it it is as if one sat at it: \
ctrl-p ctrl-q leave it, `boltseal attach` comes back.

Examples:
  boltseal run group.yaml
  boltseal run --rm registry.example.com/tools/jq:1.7 -- jq --version
  boltseal run -it --rm registry.example.com/tools/shell:v1
  boltseal run -d --name web -p 8080:80 --memory 0.5 registry.example.com/shop/web:v1
  boltseal run oci:build/app --allow-unverified --rm

Exit codes: 0 it runs, or what it ran said so; 1 a policy or the plan said no; 2 usage; 3 no agent could be asked; 4 internal \
fault; with an image that is waited for, that of its program")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command, none a state")]
pub struct Args {
    /// Container group (a file), or image: `HOST/REPOSITORY[:TAG][@DIGEST]`, `oci:FOLDER`, `docker-archive:FILE`
    #[arg(value_name = "IMAGE|GROUP")]
    what: String,
    /// What to run in the image instead of what it says
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// Name of the group [default: that of the image's repository]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Do not wait for its end
    #[arg(long, short)]
    detach: bool,
    /// Let it read what comes on standard input, for an image
    #[arg(long, short)]
    interactive: bool,
    /// Give it a terminal of its own, for an image
    #[arg(long, short, visible_alias = "tty")]
    terminal: bool,
    /// Keys that leave it, where it has a terminal: letters and ctrl-LETTER, with commas
    #[arg(long, value_name = "KEYS", default_value = keys::DEFAULT)]
    detach_keys: Keys,
    /// Remove it when it ended
    #[arg(long, conflicts_with = "detach")]
    rm: bool,
    /// Variable, for an image
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    /// Port of this machine, and of the container, for an image: `8080:80`, `8053:53/udp`
    #[arg(long, short, value_name = "PORT:PORT")]
    publish: Vec<String>,
    /// What it may reach, for an image: `tcp://ADDRESS:PORT`, `tcp://GROUP:PORT`, `dns`
    #[arg(long, value_name = "WHAT")]
    egress: Vec<String>,
    /// Gigabytes of memory, for an image
    #[arg(long, value_name = "GB", default_value = "1.5")]
    memory: String,
    /// Processors, for an image
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    cpu: String,
    /// When it ends, for an image: `Always`, `OnFailure`, `Never`
    #[arg(long, value_name = "WHEN", default_value = "Never")]
    restart: String,
    /// Take this image from there instead of from the registry in its name
    #[arg(long, value_name = "IMAGE=TARGET", value_parser = pair)]
    image: Vec<(String, String)>,
    /// A secret that does not stand in the group's file: `CONTAINER/VARIABLE` or `VOLUME/FILE`, and a file that has it
    #[arg(long, value_name = "NAME=FILE", value_parser = pair)]
    secret: Vec<(String, String)>,
    /// Run images that nobody allowed; the log says so
    #[arg(long)]
    allow_unverified: bool,
    /// Refuse where a control is partial or unavailable on this machine
    #[arg(long)]
    strict: bool,
    /// Let registries speak HTTP without TLS
    #[arg(long)]
    plain_http: bool,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    written: Written,
}

/// Names have no `=`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Runs it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let is_file = Path::new(&args.what).is_file() && !args.what.contains(".tar");
    let attended = sit::attended(args, is_file)?;
    let (file, definition, images) = if is_file {
        (args.what.clone(), given::bounded(Path::new(&args.what), MAX_FILE)?, BTreeMap::new())
    } else {
        let (definition, images) = of_image(args)?;
        ("the image".to_owned(), definition, images)
    };
    let images = images.into_iter().chain(args.image.iter().cloned().map(absolute)).collect();
    let wanted = Run {
        file,
        definition,
        images,
        secrets: secrets(&args.secret)?,
        allow_unverified: args.allow_unverified,
        strict: args.strict,
        plain_http: args.plain_http,
        attended,
    };
    let agent = args.node.started(global, console)?;
    let group: Group = agent.ask("POST", "/v1/groups", Some(&wanted))?;
    if group.unverified {
        console.warning(format_args!("{} runs images that nobody allowed", group.name));
    }
    if is_file || args.detach {
        let group = begun(&agent, group)?;
        args.written.show(&group, console, output::one)?;
        return Ok(Exit::Pass);
    }
    let code = match attended {
        Some(how) => {
            let Some(code) = sit(&agent, &group, how.input, &args.detach_keys, console)? else {
                if args.rm {
                    console.note(format_args!(
                        "it is not removed when it ends: boltseal rm {} does that",
                        group.name
                    ));
                }
                return Ok(Exit::Pass);
            };
            code
        }
        None => wait(&agent, &group.name, console)?,
    };
    if args.rm {
        agent.tell("DELETE", &format!("/v1/groups/{}?force=true", segment(&group.name)))?;
    }
    // The five codes are ours; this one is the program's, which whoever called waits for.
    std::process::exit(code)
}

/// Its code; and why it ended, where that was not by itself.
fn told(ended: &Ended, console: &Console) -> i32 {
    if ended.why != "ended" && ended.why != "stopped" {
        console.warning(&ended.why);
    }
    ended.code
}

/// The group once its containers were started, or a little later: what initialises it may take its time.
fn begun(agent: &Asked, mut group: Group) -> Result<Group, Failure> {
    let asked = Instant::now();
    while group.state == GroupState::Starting && asked.elapsed() < PATIENCE {
        std::thread::sleep(LOOK);
        group = agent.get(&format!("/v1/groups/{}", segment(&group.name)))?;
    }
    Ok(group)
}

/// Shows what it writes until it ends; gives the code it ended with.
fn wait(agent: &Asked, name: &str, console: &Console) -> Result<i32, Failure> {
    let place = format!("/v1/groups/{}", segment(name));
    let container = |group: &Group| group.containers.first().cloned();
    loop {
        let group: Group = agent.get(&place)?;
        let one = container(&group).ok_or_else(|| Failure::fault("a group without containers"))?;
        let log = format!("{place}/{}/log?follow=true", segment(&one.name));
        let interrupted = agent.follow_until_interrupted(&log, |entry: Entry| show(&entry, console))?;
        if interrupted {
            let _: Group = agent.ask("POST", &format!("{place}/stop"), Some(&Stop { grace: None }))?;
        }
        let group: Group = agent.get(&place)?;
        if !matches!(group.state, GroupState::Starting | GroupState::Running | GroupState::Stopping) {
            let one = container(&group).and_then(|one| one.ended);
            return Ok(one.map_or(1, |ended| told(&ended, console)));
        }
        std::thread::sleep(LOOK);
    }
}

/// Gives false where nobody reads any more.
pub fn show(entry: &Entry, console: &Console) -> bool {
    let end = if entry.partial { "" } else { "\n" };
    let text = format!("{}{end}", entry.text);
    match entry.stream {
        Stream::Stdout => console.data(&text).is_ok(),
        Stream::Stderr => {
            use std::io::Write as _;
            std::io::stderr().write_all(text.as_bytes()).is_ok()
        }
    }
}

/// Files of secrets, in base64.
pub fn secrets(given: &[(String, String)]) -> Result<BTreeMap<String, String>, Failure> {
    let mut secrets = BTreeMap::new();
    for (name, file) in given {
        let value = given::bounded_bytes(Path::new(file), MAX_FILE)?;
        secrets.insert(name.clone(), STANDARD.encode(value));
    }
    Ok(secrets)
}
