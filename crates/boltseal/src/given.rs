//! What the user gave us besides the image: the data folder, a policy, feeds.

use std::{
    env, fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use boltseal_flow::{
    approvals,
    feeds::Feeds,
    look::{Finder, Hashes, Rules as LeakRules},
    rules::Rules,
};
use boltseal_model::Severity;
use boltseal_scan::Snapshot;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::{cli::Global, exit::Failure};

/// Name of the policy in the data folder.
pub const POLICY: &str = "policy.yaml";

/// The data folder: as given, else where XDG says programs keep theirs.
pub fn data(global: &Global) -> Result<PathBuf, Failure> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    global
        .data
        .clone()
        .or_else(|| absolute("XDG_DATA_HOME").map(|home| home.join("boltseal")))
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share/boltseal")))
        .ok_or_else(|| {
            Failure::usage("no data folder: neither XDG_DATA_HOME nor HOME is set")
                .next("name one with --data DIR")
        })
}

/// Where programs keep what they remember, but not what they are for: `$XDG_STATE_HOME` or `~/.local/state`. Where there
/// is no home, a folder beside the data folder.
pub fn state(data: &Path) -> PathBuf {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map_or_else(|| data.with_extension("state"), |home| home.join("boltseal"))
}

/// Where programs keep what a user decided: `$XDG_CONFIG_HOME` or `~/.config`.
pub fn config() -> Result<PathBuf, Failure> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CONFIG_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".config")))
        .map(|home| home.join("boltseal"))
        .ok_or_else(|| {
            Failure::usage("no folder for settings: neither XDG_CONFIG_HOME nor HOME is set")
                .next("set one of them, or give BOLTSEAL_SERVER and BOLTSEAL_TOKEN")
        })
}

/// The feeds in the data folder, if there are any.
pub fn snapshot(global: &Global) -> Result<Option<Snapshot>, Failure> {
    Ok(Feeds::at(&data(global)?).open()?)
}

/// The policy in the file at `path`, with the keys and the signed approvals beside it.
pub fn rules(path: &Path) -> Result<Rules, Failure> {
    let rules = Rules::read(path).map_err(|wrong| {
        Failure::usage(wrong).next("`boltseal policy show` prints a policy to start from")
    })?;
    let unreadable = |wrong| Failure::usage(format_args!("{}: {wrong}", approvals::file_of(path).display()));
    rules.approved_beside(path).map_err(unreadable)
}

/// Finds credentials by the built-in rules and those in the file at `path`.
pub fn finder(path: &Path) -> Result<Finder, Failure> {
    let finder = LeakRules::parse(&text(path)?).and_then(Finder::with);
    finder.map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", path.display())))
}

/// The hashes of malware in the file at `path`.
pub fn hashes(path: &Path) -> Result<Hashes, Failure> {
    Hashes::parse(&text(path)?).map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", path.display())))
}

/// The policy in the data folder, else the built-in one.
pub fn own_rules(global: &Global) -> Result<Rules, Failure> {
    match data(global).map(|data| data.join(POLICY)) {
        Ok(path) if path.exists() => rules(&path),
        _ => Ok(Rules::built_in()),
    }
}

/// The text of the file at `path`.
pub fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|wrong| Failure::usage(format_args!("cannot read {}: {wrong}", path.display())))
}

/// The text of a file that somebody named, of `limit` bytes at most.
pub fn bounded(path: &Path, limit: usize) -> Result<String, Failure> {
    String::from_utf8(bounded_bytes(path, limit)?)
        .map_err(|_| Failure::usage(format_args!("cannot read {}: it is not UTF-8", path.display())))
}

/// The bytes of such a file.
pub fn bounded_bytes(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let wrong =
        |why: &dyn std::fmt::Display| Failure::usage(format_args!("cannot read {}: {why}", path.display()));
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let file = fs::File::open(path).map_err(|why| wrong(&why))?;
    file.take(most).read_to_end(&mut bytes).map_err(|why| wrong(&why))?;
    if bytes.len() > limit {
        return Err(wrong(&format_args!("it has more than {limit} bytes")));
    }
    Ok(bytes)
}

/// Reads a severity argument; help and completion list all of them.
pub fn severity() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::WORST_FIRST.map(Severity::word))
        .map(|word| word.parse().unwrap_or_default())
}
