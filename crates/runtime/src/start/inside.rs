//! This program inside a container that another runtime makes: bound read-only into `/dev/boltseal`, so that it is what the
//! container starts with, whatever its image has.
//!
//! ```text
//! runc ──▶ /dev/boltseal/boltseal __seal REQUEST ── PROGRAM … ──Landlock, execve──▶ PROGRAM …
//! ```
//!
//! Where it is linked to libraries, these and their loader come with it, by the names that this process itself runs with; so it
//! needs nothing of the image. Variables that change what a loader does are withheld from it and given to the program
//! afterwards, and `/etc/ld.so.preload`, which every loader obeys, is covered by an empty file.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{init, seal};

/// Where it lies, in a file system in memory that every container has of its own.
pub const FOLDER: &str = "/dev/boltseal";
/// The role in which it seals itself and becomes the program.
pub const SEAL: &str = "__seal";
/// What it is called in there.
const NAME: &str = "boltseal";
/// What every loader of glibc's loads before anything else.
const PRELOAD: &str = "/etc/ld.so.preload";
/// An empty file, as runtimes cover files with.
const EMPTY: &str = "/dev/null";
/// `AT_BASE` of `getauxval(3)`: where the loader lies in memory.
const AT_BASE: u64 = 7;
/// Bytes of `/proc/self/maps` and the like.
const MAX_FILE: u64 = 1 << 20;

/// This program, and what it needs to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// Files by their names in the folder; the program itself is among them.
    files: Vec<(String, PathBuf)>,
    /// The name of the loader, where there is one.
    loader: Option<String>,
}

/// Something to be bound read-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Within.
    pub target: String,
    /// On the machine.
    pub source: PathBuf,
    /// Whether it is to be executed.
    pub program: bool,
}

/// What the role is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What may be done with which files.
    pub files: seal::Files,
    /// Variables that were withheld.
    pub env: Vec<(String, String)>,
}

impl Inside {
    /// As this process runs.
    ///
    /// # Errors
    /// Where `/proc` does not say which files those are, or one of them was replaced since.
    pub fn of_this_process() -> io::Result<Self> {
        let program = fs::read_link("/proc/self/exe")?;
        let maps = read("/proc/self/maps")?;
        let base = base(&mut fs::File::open("/proc/self/auxv")?)?;
        let inside = Self::of(&program, &maps, base);
        match inside.files.iter().find(|(_, source)| !source.is_file()) {
            Some((_, gone)) => Err(io::Error::other(format!("{} was replaced", gone.display()))),
            None => Ok(inside),
        }
    }

    fn of(program: &Path, maps: &str, base: u64) -> Self {
        let mut files = vec![(NAME.to_owned(), program.to_owned())];
        let mut loader = None;
        for line in maps.lines() {
            // Spaces in a path are written as they are; it is all after the fifth word.
            let mut words = line.splitn(6, ' ');
            let (Some(range), Some(rights)) = (words.next(), words.next()) else { continue };
            let Some(path) = words.nth(3).map(str::trim_start).filter(|path| path.starts_with('/')) else {
                continue;
            };
            let path = Path::new(path);
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let begins = range.split('-').next().and_then(|start| u64::from_str_radix(start, 16).ok());
            if base != 0 && begins == Some(base) {
                loader = Some(name.to_owned());
            }
            if rights.contains('x') && path != program && !files.iter().any(|(_, known)| known == path) {
                files.push((name.to_owned(), path.to_owned()));
            }
        }
        Self { files, loader }
    }

    /// That of a container that was made before, by what is mounted in it. None where it is not there.
    pub fn found<'a>(targets: impl Iterator<Item = &'a str>) -> Option<Self> {
        let names = targets.filter_map(|target| target.strip_prefix(FOLDER)?.strip_prefix('/'));
        let files: Vec<_> = names.map(|name| (name.to_owned(), PathBuf::new())).collect();
        let loader = files.iter().map(|(name, _)| name).find(|name| name.starts_with("ld-")).cloned();
        files.iter().any(|(name, _)| name == NAME).then_some(Self { files, loader })
    }

    /// What has to be mounted, in this order.
    pub fn bound(&self) -> Vec<Bound> {
        let one = |(name, source): &(String, PathBuf)| Bound {
            target: format!("{FOLDER}/{name}"),
            source: source.clone(),
            program: true,
        };
        let mut bound: Vec<Bound> = self.files.iter().map(one).collect();
        if self.loader.is_some() {
            bound.push(Bound { target: PRELOAD.to_owned(), source: EMPTY.into(), program: false });
        }
        bound
    }

    /// The command that plays `role` with `request`, in front of what it is to become.
    ///
    /// # Errors
    /// Never, but for what JSON cannot say.
    pub fn command(
        &self,
        role: &str,
        request: &impl Serialize,
        becomes: &[String],
    ) -> serde_json::Result<Vec<String>> {
        let mut command = Vec::new();
        if let Some(loader) = &self.loader {
            command.extend([format!("{FOLDER}/{loader}"), "--library-path".to_owned(), FOLDER.to_owned()]);
        }
        command.extend([format!("{FOLDER}/{NAME}"), role.to_owned(), serde_json::to_string(request)?]);
        command.extend(becomes.iter().cloned());
        Ok(command)
    }
}

/// Whether a variable changes what a loader or a C library does.
pub fn is_loaders(name: &str) -> bool {
    name.starts_with("LD_") || name.starts_with("GLIBC_") || name.starts_with("MALLOC_")
}

/// Seals this process and becomes the program. Gives the code to exit with where that cannot be.
pub fn become_sealed(request: &Request, command: &[String]) -> i32 {
    if let Err(error) = seal::files(&request.files) {
        init::complain(&format!("it is not sealed: {error}"));
        return init::NOT_RUN;
    }
    init::execute(command, &request.env)
}

fn read(path: &str) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(MAX_FILE).read_to_string(&mut text)?;
    Ok(text)
}

/// Where the loader lies in memory; 0 without one. Pairs of numbers as wide as an address.
fn base(auxiliary: &mut impl io::Read) -> io::Result<u64> {
    let mut bytes = Vec::new();
    auxiliary.take(MAX_FILE).read_to_end(&mut bytes)?;
    let mut numbers = bytes.chunks_exact(size_of::<usize>()).map(|chunk| {
        let mut number = 0_u64;
        for (place, byte) in chunk.iter().enumerate() {
            // Machines that we know begin with the smallest.
            number |= u64::from(*byte) << (8 * place);
        }
        number
    });
    while let (Some(kind), Some(value)) = (numbers.next(), numbers.next()) {
        if kind == AT_BASE {
            return Ok(value);
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d0c0000000-55d0c0100000 r--p 00000000 fe:00 12                         /opt/a b/boltseal
55d0c0100000-55d0c0200000 r-xp 00100000 fe:00 12                         /opt/a b/boltseal
7f0000000000-7f0000028000 r--p 00000000 fe:00 21                         /usr/lib/libc.so.6
7f0000028000-7f00001b0000 r-xp 00028000 fe:00 21                         /usr/lib/libc.so.6
7f0000300000-7f0000301000 r--p 00000000 fe:00 22                         /usr/lib/ld-linux-x86-64.so.2
7f0000301000-7f0000326000 r-xp 00001000 fe:00 22                         /usr/lib/ld-linux-x86-64.so.2
7f0000400000-7f0000401000 r--p 00000000 fe:00 23                         /usr/lib/locale/C.utf8
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]
";

    #[test]
    fn with_a_loader_and_without() {
        let inside = Inside::of("/opt/a b/boltseal".as_ref(), MAPS, 0x7f00_0030_0000);
        let targets: Vec<String> = inside.bound().into_iter().map(|bound| bound.target).collect();
        assert_eq!(
            targets,
            [
                "/dev/boltseal/boltseal",
                "/dev/boltseal/libc.so.6",
                "/dev/boltseal/ld-linux-x86-64.so.2",
                "/etc/ld.so.preload"
            ]
        );
        let command = inside.command(SEAL, &1, &["sh".to_owned()]).unwrap().join(" ");
        let loader = "/dev/boltseal/ld-linux-x86-64.so.2 --library-path /dev/boltseal ";
        assert_eq!(command, format!("{loader}/dev/boltseal/boltseal __seal 1 sh"));
        // Whoever joins needs no more than what is mounted.
        let again = Inside::found(targets.iter().map(String::as_str)).unwrap();
        assert_eq!(again.command(SEAL, &1, &["sh".to_owned()]).unwrap().join(" "), command);
        assert_eq!(Inside::found(["/dev", "/dev/shm"].into_iter()), None);

        let alone = Inside::of(
            "/boltseal".as_ref(),
            &MAPS.replace("/opt/a b", "").lines().take(2).collect::<Vec<_>>().join("\n"),
            0,
        );
        assert_eq!(alone.bound().len(), 1);
        assert_eq!(alone.command(SEAL, &1, &[]).unwrap().join(" "), "/dev/boltseal/boltseal __seal 1");
    }

    #[test]
    fn this_process() {
        let inside = Inside::of_this_process().unwrap();
        assert!(inside.bound().iter().all(|bound| bound.source.exists()), "{inside:?}");
        // Tests are linked to a C library, unless they are built for one that is not.
        assert_eq!(inside.loader.is_some(), inside.files.len() > 1, "{inside:?}");
    }
}
