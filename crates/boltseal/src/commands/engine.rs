//! `boltseal engine`

mod install;

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use boltseal_agent::engines::{Approved, File, Mirrored, containerd, containers};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    reach,
};

/// What to do with engines.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Write configuration that lets an engine fetch from approved registries only
    Render(Render),
    /// Have an engine start its containers hardened
    Install(install::Install),
    /// Have it start them as before
    Uninstall(install::Uninstall),
    /// Show which engines start containers hardened, and whether all of it is in order
    Status(install::Status),
    /// Check what a node opens to containers
    Check(install::Check),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
podman and crio: `policy.json` rejects what is not approved, `registries.conf.d` gives short names no meaning. containerd: one \
`hosts.toml` for all registries, without fallback, and one for each mirrored upstream; with --name also the program that asks \
for the verdict about every digest. Docker: see `boltseal agent`.

Examples:
  boltseal engine render podman --registry registry.example.com/team
  boltseal engine render crio --registry registry.example.com --key /etc/boltseal/cosign.pub --to /
  boltseal engine render containerd --registry registry.example.com:8443 --mirror docker.io=hub --to /
  boltseal engine render containerd --registry registry.example.com:8443 --name node-1 --secret-file /etc/boltseal/secret

Exit codes: 0 done; 2 usage, or a file is there already; 4 it cannot be written")]
struct Render {
    /// Which engine
    #[arg(value_name = "ENGINE")]
    engine: Engine,
    /// Registry, or path in one, whose images may be fetched. containerd: the address of our registry
    #[arg(long, value_name = "REGISTRY", required = true)]
    registry: Vec<String>,
    /// Path of a public key, on the node, by which images must be signed (podman, crio)
    #[arg(long, value_name = "FILE")]
    key: Option<String>,
    /// Upstream, and the prefix under which our registry has it: `docker.io=hub` (containerd)
    #[arg(long, value_name = "UPSTREAM=PREFIX")]
    mirror: Vec<String>,
    /// Path of the authority of our registry, on the node (containerd)
    #[arg(long, value_name = "FILE")]
    ca: Option<String>,
    /// Service principal by which the node asks for verdicts (containerd)
    #[arg(long, value_name = "NAME", requires = "secret_file")]
    name: Option<String>,
    /// Path of its secret, on the node (containerd)
    #[arg(long, value_name = "FILE", requires = "name")]
    secret_file: Option<String>,
    /// Path of this program, on the node (containerd)
    #[arg(long, value_name = "FILE", default_value = "/usr/local/bin/boltseal")]
    boltseal: String,
    /// Write the files below this folder, `/` being the node itself [default: print them]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Replace files that are there
    #[arg(long, requires = "to")]
    force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    Podman,
    Crio,
    Containerd,
}

/// Does it.
pub fn run(args: &Args, _: &Global, console: &Console) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::Render(args) => render(args, console),
        Verb::Install(args) => install::install(args, console),
        Verb::Uninstall(args) => install::uninstall(args, console),
        Verb::Status(args) => install::status(args, console),
        Verb::Check(args) => install::check(args, console),
    }
}

fn render(render: &Render, console: &Console) -> Result<Exit, Failure> {
    let files = files(render)?;
    match &render.to {
        None => {
            let mut out = std::io::stdout().lock();
            for file in &files {
                let printed = writeln!(out, "# {}\n{}", file.path, file.text);
                printed.map_err(Failure::fault)?;
            }
        }
        Some(root) => {
            let places: Vec<PathBuf> =
                files.iter().map(|file| root.join(file.path.trim_start_matches('/'))).collect();
            // All or none: a node with half of it would fetch from anywhere.
            if let Some(there) = places.iter().find(|place| place.exists()).filter(|_| !render.force) {
                return Err(Failure::usage(format_args!("{} is there already", there.display()))
                    .next("look at it, then run this again with --force"));
            }
            for (file, place) in files.iter().zip(&places) {
                write(file, place)
                    .map_err(|wrong| Failure::fault(format_args!("{}: {wrong}", place.display())))?;
                console.note(format_args!("wrote {}", place.display()));
            }
        }
    }
    Ok(Exit::Pass)
}

fn files(render: &Render) -> Result<Vec<File>, Failure> {
    let only = |given: bool, flag: &str, engine: &str| {
        if given { Err(Failure::usage(format_args!("{flag} is for {engine}"))) } else { Ok(()) }
    };
    if render.engine != Engine::Containerd {
        only(!render.mirror.is_empty(), "--mirror", "containerd")?;
        only(render.name.is_some(), "--name", "containerd")?;
        only(render.ca.is_some(), "--ca", "containerd")?;
        let approved: Result<Vec<Approved>, _> =
            render.registry.iter().map(|text| Approved::read(text)).collect();
        return Ok(containers::files(&approved.map_err(Failure::usage)?, render.key.as_deref()));
    }
    only(render.key.is_some(), "--key", "podman and crio: containerd asks for verdicts instead")?;
    let [registry] = render.registry.as_slice() else {
        return Err(Failure::usage("containerd fetches from one registry: ours, with mirrors of others"));
    };
    let address = reach::address(registry)?;
    let mirrored: Result<Vec<Mirrored>, _> = render.mirror.iter().map(|text| Mirrored::read(text)).collect();
    let mut files = containerd::files(&address, render.ca.as_deref(), &mirrored.map_err(Failure::usage)?);
    if let (Some(name), Some(secret)) = (&render.name, &render.secret_file) {
        files.push(containerd::verifier(&render.boltseal, &address, render.ca.as_deref(), name, secret));
    }
    Ok(files)
}

/// As a whole or not at all, since engines read these at any moment.
fn write(file: &File, place: &Path) -> std::io::Result<()> {
    let folder = place.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(file.text.as_bytes())?;
    let mode = if file.program { 0o755 } else { 0o644 };
    fresh.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    fresh.as_file().sync_all()?;
    fresh.persist(place).map(drop).map_err(|failed| failed.error)
}
