//! `boltseal engine install`, `uninstall`, `status` and `check`

use std::{
    fmt::Write as _,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use boltseal_agent::{
    engines::{
        File,
        install::{Done, Engine, program},
    },
    wrapper::{MAX_SETTINGS, Settings},
};

use super::write;
use crate::{
    console::Console,
    exit::{Exit, Failure},
    given, output,
};

/// Bytes of an engine's configuration.
const MAX_CONFIG: usize = 4 << 20;
/// Where programs of a machine lie.
const FOLDERS: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Where what belongs to this lies.
#[derive(Debug, clap::Args)]
pub struct Places {
    /// Folder, on the node, of the program that engines start, and of what was there before
    #[arg(long, value_name = "DIR", default_value = "/usr/local/lib/boltseal")]
    folder: PathBuf,
    /// Settings of the node: what is opened to containers
    #[arg(long, value_name = "FILE", default_value = "/etc/boltseal/wrapper.yaml")]
    settings: PathBuf,
    /// All paths are below this folder, `/` being the node itself
    #[arg(long, value_name = "DIR", default_value = "/")]
    to: PathBuf,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
From then on the engine starts its containers through `boltseal wrapper`, which hardens them; images, commands and everything \
else stay as they are. A configuration that is there is edited, not written anew; what it was is kept, and `engine uninstall` \
puts it back. The engine is never restarted: what to do is said.

Examples:
  boltseal engine install docker --dry-run
  boltseal engine install docker && systemctl reload docker
  boltseal engine install podman --runtime /usr/bin/crun

Exit codes: 0 done, or done already; 2 usage, or a configuration that is not touched; 4 it cannot be written")]
pub struct Install {
    /// Which engine
    #[arg(value_name = "ENGINE")]
    engine: Name,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// The runtime that does the work [default: the engine's own choice]
    #[arg(long, value_name = "PROGRAM")]
    runtime: Option<PathBuf>,
    /// The engine's configuration [default: where it looks for that]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Path of this program, on the node [default: as it runs]
    #[arg(long, value_name = "FILE")]
    boltseal: Option<PathBuf>,
    #[command(flatten)]
    places: Places,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The configuration is as it was before, to the last byte, where nobody changed it since; else what was added is taken out. \
Containers that are there keep running and can still be joined until they end.

Exit codes: 0 done, or nothing was installed; 2 a configuration that is not touched; 4 it cannot be written")]
pub struct Uninstall {
    /// Which engine
    #[arg(value_name = "ENGINE")]
    engine: Name,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    places: Places,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 all that is installed is in order; 1 something is not")]
pub struct Status {
    /// How to write it
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    format: Form,
    #[command(flatten)]
    places: Places,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 they are right; 2 they are not, and every container would be refused")]
pub struct Check {
    /// Settings of a node
    #[arg(value_name = "FILE", default_value = "/etc/boltseal/wrapper.yaml")]
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Table,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    Docker,
    Podman,
    Containerd,
    Crio,
}

impl Name {
    const fn engine(self) -> Engine {
        match self {
            Self::Docker => Engine::Docker,
            Self::Podman => Engine::Podman,
            Self::Containerd => Engine::Containerd,
            Self::Crio => Engine::Crio,
        }
    }
}

impl Places {
    fn at(&self, path: &Path) -> PathBuf {
        self.to.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The program that an engine starts, as the engine sees it.
    fn program(&self, engine: Engine) -> PathBuf {
        self.folder.join(engine.name())
    }

    /// What was done.
    fn record(&self, engine: Engine) -> PathBuf {
        self.at(&self.folder.join(format!("{}.json", engine.name())))
    }

    fn done(&self, engine: Engine) -> Result<Option<Done>, Failure> {
        let path = self.record(engine);
        let Some(text) = there(&path)? else { return Ok(None) };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", path.display())))
    }
}

/// What is in a file; nothing where it is not there.
fn there(path: &Path) -> Result<Option<String>, Failure> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        _ => given::bounded(path, MAX_CONFIG).map(Some),
    }
}

fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    move |wrong| Failure::fault(format_args!("{}: {wrong}", path.display()))
}

/// Writes a file, with the rights that one has which is there.
fn put(path: &Path, text: &str, program: bool, private: bool) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).ok().map(|data| data.permissions());
    let file = File { path: path.display().to_string(), text: text.to_owned(), program };
    write(&file, path).map_err(unwritable(path))?;
    let mode = if private { Some(fs::Permissions::from_mode(0o600)) } else { mode };
    mode.map_or(Ok(()), |mode| fs::set_permissions(path, mode)).map_err(unwritable(path))
}

fn untouched(path: &Path, wrong: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format_args!("{} is not touched: {wrong}", path.display()))
}

/// Tells an engine.
pub fn install(args: &Install, console: &Console) -> Result<Exit, Failure> {
    let engine = args.engine.engine();
    let places = &args.places;
    let known = places.done(engine)?;
    let config = args.config.clone().unwrap_or_else(|| engine.config().into());
    let path = places.at(&config);
    let now = there(&path)?;
    let ours = places.program(engine).display().to_string();
    let after = engine.edited(now.as_deref(), &ours).map_err(|wrong| untouched(&path, &wrong))?;
    // Told once more, it was before what it was before that.
    let before = match &known {
        Some(done) if now.as_deref().is_some_and(|now| engine.is_told(now, &ours)) => done.before.clone(),
        _ => now.clone(),
    };
    let runtime = runtime(args, engine, before.as_deref(), known.as_ref())?;
    let boltseal = match &args.boltseal {
        Some(path) => path.clone(),
        None => std::env::current_exe().map_err(Failure::fault)?,
    };
    let text = program(
        &boltseal.display().to_string(),
        &runtime.display().to_string(),
        &places.settings.display().to_string(),
    );
    let settings = places.at(&places.settings);
    let own = there(&settings)?;
    if let Some(text) = &own {
        Settings::read(text)
            .map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", settings.display())))?;
    }
    if args.dry_run {
        let script = places.at(&places.program(engine));
        let mut shown = format!("# {}\n{text}\n", script.display());
        if own.is_none() {
            let _ = writeln!(shown, "# {}\n{}", settings.display(), Settings::FILE);
        }
        let _ = write!(shown, "# {}\n{after}", path.display());
        console.data(&shown)?;
        return Ok(Exit::Pass);
    }
    // The engine is told last: what it is told of is there by then.
    if own.is_none() {
        put(&settings, Settings::FILE, false, false)?;
        console.note(format_args!("wrote {}, which opens nothing", settings.display()));
    }
    put(&places.at(&places.program(engine)), &text, true, false)?;
    let done =
        Done { config: config.display().to_string(), runtime: runtime.display().to_string(), before, after };
    let record = serde_json::to_string_pretty(&done).map_err(Failure::fault)?;
    put(&places.record(engine), &record, false, true)?;
    if now.as_ref() == Some(&done.after) {
        console.note(format_args!("{} says so already", path.display()));
    } else {
        put(&path, &done.after, false, false)?;
        let kept = if now.is_some() {
            format!("; what it was is kept in {}", places.record(engine).display())
        } else {
            String::new()
        };
        console.note(format_args!("wrote {}{kept}", path.display()));
    }
    console.note(format_args!("next: {}", engine.next()));
    Ok(Exit::Pass)
}

/// The runtime that does the work.
fn runtime(
    args: &Install,
    engine: Engine,
    before: Option<&str>,
    known: Option<&Done>,
) -> Result<PathBuf, Failure> {
    let named = args.runtime.clone().or_else(|| engine.named(before).map(PathBuf::from));
    let named = named.or_else(|| known.map(|done| done.runtime.clone().into()));
    let found = || {
        let folders = || FOLDERS.iter().map(Path::new);
        engine.runtimes().iter().find_map(|name| {
            folders().map(|folder| folder.join(name)).find(|path| args.places.at(path).exists())
        })
    };
    let runtime = named.or_else(found).ok_or_else(|| {
        Failure::usage(format_args!("neither {} is on this node", engine.runtimes().join(" nor ")))
            .next("name the runtime: --runtime PROGRAM")
    })?;
    if runtime.is_absolute() {
        Ok(runtime)
    } else {
        let folders = FOLDERS.iter().map(|folder| Path::new(folder).join(&runtime));
        folders
            .into_iter()
            .find(|path| args.places.at(path).exists())
            .ok_or_else(|| Failure::usage(format_args!("{} is no program of this node", runtime.display())))
    }
}

/// Tells it otherwise again.
pub fn uninstall(args: &Uninstall, console: &Console) -> Result<Exit, Failure> {
    let engine = args.engine.engine();
    let places = &args.places;
    let Some(done) = places.done(engine)? else {
        console.note(format_args!("nothing is installed for {}", engine.name()));
        return Ok(Exit::Pass);
    };
    let path = places.at(Path::new(&done.config));
    let now = there(&path)?;
    let after = match &now {
        None => None,
        Some(now) => engine.restored(now, &done).map_err(|wrong| untouched(&path, &wrong))?,
    };
    if args.dry_run {
        let text = after.as_deref().unwrap_or("(no file)\n");
        console.data(&format!("# {}\n{text}", path.display()))?;
        return Ok(Exit::Pass);
    }
    match &after {
        Some(text) => put(&path, text, false, false)?,
        None => gone(&path)?,
    }
    console.note(format_args!(
        "{} {}",
        path.display(),
        match &after {
            None => "is gone",
            Some(_) if after == done.before => "is as it was",
            Some(_) => "was changed since; what was added is taken out",
        }
    ));
    for path in [places.at(&places.program(engine)), places.record(engine)] {
        gone(&path)?;
    }
    // What somebody wrote stays.
    let others = Engine::ALL.iter().any(|other| places.record(*other).exists());
    let settings = places.at(&places.settings);
    if !others && there(&settings)?.as_deref() == Some(Settings::FILE) {
        gone(&settings)?;
    }
    if !others {
        // It may have what is not ours.
        let _ = fs::remove_dir(places.at(&places.folder));
    }
    console.note(format_args!("next: {}", engine.next().split(';').next().unwrap_or_default()));
    Ok(Exit::Pass)
}

fn gone(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(wrong) if wrong.kind() != ErrorKind::NotFound => Err(unwritable(path)(wrong)),
        _ => Ok(()),
    }
}

/// How it is with one engine.
#[derive(serde::Serialize)]
struct Row {
    engine: &'static str,
    installed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<String>,
    /// What is not in order.
    wrong: Vec<String>,
}

/// Says how it is.
pub fn status(args: &Status, console: &Console) -> Result<Exit, Failure> {
    let rows = Engine::ALL.iter().map(|engine| row(*engine, &args.places)).collect::<Result<Vec<_>, _>>()?;
    let text = match args.format {
        Form::Json => output::json(&rows)?,
        Form::Table => table(&rows),
    };
    console.data(&text)?;
    Ok(if rows.iter().all(|row| row.wrong.is_empty()) { Exit::Pass } else { Exit::Denied })
}

fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let state = match (row.installed, row.wrong.as_slice()) {
            (false, _) => "not installed".to_owned(),
            (true, []) => format!(
                "installed, in front of {} ({})",
                row.runtime.as_deref().unwrap_or_default(),
                row.config.as_deref().unwrap_or_default()
            ),
            (true, wrong) => format!("installed, but {}", wrong.join("; ")),
        };
        let _ = writeln!(text, "{:<11} {state}", row.engine);
    }
    text
}

fn row(engine: Engine, places: &Places) -> Result<Row, Failure> {
    let mut row =
        Row { engine: engine.name(), installed: false, config: None, runtime: None, wrong: Vec::new() };
    let Some(done) = places.done(engine)? else { return Ok(row) };
    row.installed = true;
    let ours = places.program(engine);
    let config = there(&places.at(Path::new(&done.config)))?.unwrap_or_default();
    if !engine.is_told(&config, &ours.display().to_string()) {
        row.wrong.push(format!("{} does not name it any more", done.config));
    }
    for (path, what) in
        [(ours.as_path(), "the program that it starts"), (Path::new(&done.runtime), "the runtime")]
    {
        if !places.at(path).exists() {
            row.wrong.push(format!("{} is gone: {what}", path.display()));
        }
    }
    let settings = places.at(&places.settings);
    match there(&settings)?.map(|text| Settings::read(&text)) {
        None => row.wrong.push(format!("{} is gone: every container is refused", settings.display())),
        Some(Err(wrong)) => {
            row.wrong.push(format!("{}: {wrong}: every container is refused", settings.display()));
        }
        Some(Ok(_)) => {}
    }
    (row.config, row.runtime) = (Some(done.config), Some(done.runtime));
    Ok(row)
}

/// Reads settings, and says whether they are right.
pub fn check(args: &Check, console: &Console) -> Result<Exit, Failure> {
    let text = given::bounded(&args.file, MAX_SETTINGS)?;
    Settings::read(&text)
        .map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", args.file.display())))?;
    console.note(format_args!("{} is right", args.file.display()));
    Ok(Exit::Pass)
}
