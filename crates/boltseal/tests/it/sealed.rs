//! A sealed container made by this program itself: what is tried in it, and what comes of that.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use boltseal_model::Config;
use boltseal_runtime::{
    Host, Image, Wanted, bundle, plan,
    start::{Answer, End, Join, Request, Start, Started, log::Reader, status::Status},
};
use boltseal_testkit::{
    peer, shared, skip,
    tries::{By, tries},
};

const ALPINE: &str = "data/fixtures/images/alpine-311-docker-archive.tar.gz";

const GROUP: &[u8] = b"type: Microsoft.ContainerInstance/containerGroups
name: g
properties:
  osType: Linux
  containers:
  - name: c
    properties: {image: alpine, resources: {requests: {cpu: 1, memoryInGB: 0.125}}}
";

/// A place for containers, and the files of a small Linux in it.
pub struct Place {
    folder: tempfile::TempDir,
    pub root: PathBuf,
    /// Who makes them, if not this program.
    runtime: Option<PathBuf>,
}

/// One for each that makes containers: this program, and `runc`.
pub fn places() -> impl Iterator<Item = Place> {
    let by_runc = || Some(Place { runtime: Some(peer("runc")?), ..Place::new()? });
    [false, true].into_iter().filter_map(move |other| if other { by_runc() } else { Place::new() })
}

impl Place {
    fn new() -> Option<Self> {
        if !boltseal_sys::is_root() {
            skip("only root can give containers users of their own");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let archive = shared(ALPINE)?;
        let (image, root) = (folder.path().join("image"), folder.path().join("rootfs"));
        for path in [&image, &root, &folder.path().join("state")] {
            fs::create_dir(path).unwrap();
        }
        let unpack = |archive: &Path, to: &Path| {
            let done = Command::new("tar").arg("xf").arg(archive).arg("-C").arg(to).status().unwrap();
            assert!(done.success(), "{}", archive.display());
        };
        unpack(&archive, &image);
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(image.join("manifest.json")).unwrap()).unwrap();
        for layer in manifest[0]["Layers"].as_array().unwrap() {
            unpack(&image.join(layer.as_str().unwrap()), &root);
        }
        // Users that are nobody on this machine have to get there.
        for path in [folder.path(), &root] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        // Where the root is put together of layers, it has a place for all that is mounted on it.
        fs::write(root.join("etc/ld.so.preload"), "").unwrap();
        Some(Self { folder, root, runtime: None })
    }

    /// A copy of the files, to be put back after they were changed.
    pub fn kept(&self) -> PathBuf {
        let kept = self.path("kept");
        copy(&self.root, &kept);
        kept
    }

    /// As it was.
    pub fn put_back(&self, kept: &Path) {
        fs::remove_dir_all(&self.root).unwrap();
        fs::rename(kept, &self.root).unwrap();
    }

    /// Who makes containers here.
    pub fn by(&self) -> &'static str {
        if self.runtime.is_some() { "runc" } else { "own" }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a container that runs `script`.
    pub fn start(&self, name: &str, user: (u32, u32), script: &str) -> Result<Container<'_>, String> {
        self.start_as(name, user, &["/bin/sh", "-c", script], "/")
    }

    /// Starts a container of an image that says what is run, and in which folder.
    pub fn start_as(
        &self,
        name: &str,
        user: (u32, u32),
        command: &[&str],
        folder: &str,
    ) -> Result<Container<'_>, String> {
        let read = boltseal_orchestrator::read("group.yaml", GROUP).unwrap();
        let entrypoint = command.iter().map(|word| (*word).to_owned()).collect();
        let config = Config { entrypoint, working_dir: folder.to_owned(), ..Config::default() };
        let images = [Image { name: "alpine".to_owned(), digest: None, config, user: Some(user) }];
        let made =
            plan(&Wanted { workload: &read.workloads[0], images: &images, host: &Host::probe(), range: 0 });
        assert_eq!(made.refusals, []);
        let id = format!("boltseal-test-{}-{}-{name}", std::process::id(), self.by());
        let places = bundle::Places {
            root: self.root.clone(),
            cgroup: format!("/{id}"),
            hostname: "sealed".to_owned(),
            ..bundle::Places::default()
        };
        let specification = bundle::specification(&made.containers[0], &places).unwrap();
        let bundle = self.path(name);
        fs::create_dir(&bundle).unwrap();
        fs::write(bundle.join("config.json"), serde_json::to_vec(&specification).unwrap()).unwrap();
        let logs = [bundle.join("log.0"), bundle.join("log.1")];
        let status = bundle.join("status");
        let wanted = Start {
            id: id.clone(),
            state: self.path("state"),
            bundle,
            network: None,
            root: None,
            logs: logs.clone(),
            log_limit: 1 << 20,
            status: status.clone(),
            attended: None,
            runtime: self.runtime.clone(),
        };
        match self.ask(&Request::Start(wanted)) {
            Answer::Started(first) => Ok(Container { place: self, id, first, logs, status }),
            other => Err(format!("{other:?}")),
        }
    }

    fn ask(&self, request: &Request) -> Answer {
        let asked = self.path("request");
        fs::write(&asked, serde_json::to_vec(request).unwrap()).unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_boltseal"))
            .arg("__runtime")
            .arg(&asked)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        serde_json::from_slice(&done.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr)))
    }
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

pub struct Container<'a> {
    place: &'a Place,
    id: String,
    first: Started,
    logs: [PathBuf; 2],
    status: PathBuf,
}

impl Container<'_> {
    /// How it ended, once it did.
    pub fn wait(&self) -> Status {
        let begun = Instant::now();
        loop {
            let is_gone = boltseal_runtime::start::since(self.first.pid) != Some(self.first.since);
            if let Some(status) = Status::read(&self.status) {
                return status;
            }
            if is_gone {
                return Status::read(&self.status).unwrap_or_else(Status::killed);
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{} does not end", self.id);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What it wrote.
    pub fn said(&self) -> String {
        let mut reader = Reader::new(self.logs.clone());
        let some = || Some(reader.take().unwrap()).filter(|some| !some.is_empty());
        std::iter::from_fn(some).flatten().flat_map(|entry| [entry.text, "\n".to_owned()]).collect()
    }

    /// What one more program says.
    fn join(&self, user: Option<(u32, u32)>, script: &str) -> (Option<i32>, String) {
        self.join_as(user, &["/bin/sh", "-c", script], None)
    }

    /// What one more program says, in a folder.
    pub fn join_as(
        &self,
        user: Option<(u32, u32)>,
        command: &[&str],
        folder: Option<&str>,
    ) -> (Option<i32>, String) {
        let request = Request::Join(Join {
            id: self.id.clone(),
            state: self.place.path("state"),
            first: self.first,
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            env: Vec::new(),
            folder: folder.map(str::to_owned),
            user,
            terminal: None,
        });
        let asked = self.place.path("request");
        fs::write(&asked, serde_json::to_vec(&request).unwrap()).unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_boltseal"))
            .arg("__runtime")
            .arg(&asked)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said =
            String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        (done.status.code(), said)
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let cgroup = format!("/{}", self.id);
        let end = End { id: self.id.clone(), state: self.place.path("state"), cgroup };
        assert!(matches!(self.place.ask(&Request::End(end)), Answer::Ended), "{} is still there", self.id);
        assert_eq!(cgroups(&self.id), Vec::<PathBuf>::new());
    }
}

/// Control groups of a container that are there.
fn cgroups(id: &str) -> Vec<PathBuf> {
    // Of version 2, all lie in one folder.
    let hierarchies = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
    let all = hierarchies.map(|entry| entry.path()).chain(["/sys/fs/cgroup".into()]);
    all.map(|hierarchy| hierarchy.join(id)).filter(|place| place.exists()).collect()
}

#[test]
fn a_start_that_is_refused_leaves_nothing() {
    let Some(place) = Place::new() else { return };
    for round in 0..5 {
        let name = format!("refused-{round}");
        let Err(why) = place.start_as(&name, (0, 0), &["/bin/true"], "/nowhere") else {
            panic!("it was started in a folder that is not there");
        };
        assert!(why.contains("Refused"), "{why}");
        let id = format!("boltseal-test-{}-{}-{name}", std::process::id(), place.by());
        assert_eq!(cgroups(&id), Vec::<PathBuf>::new(), "{why}");
        assert!(!place.path("state").join(&id).exists(), "{why}");
    }
}

#[test]
fn what_a_sealed_container_cannot_do() {
    for place in places() {
        cannot(&place);
    }
}

fn cannot(place: &Place) {
    let mut wrong = Vec::new();
    for (number, one) in tries(By::Own).enumerate() {
        for (who, user) in [("root", (0, 0)), ("other", (1000, 1000))] {
            let container = place.start(&format!("{number}-{who}"), user, one.script).unwrap();
            container.wait();
            wrong.extend(one.wrong(&container.said()).map(|why| format!("{who}: {why}")));
        }
    }
    // One after the other in one container: what joins is sealed like the first.
    for (who, user) in [("root", (0, 0)), ("other", (1000, 1000))] {
        let container = place.start(&format!("joined-{who}"), user, "sleep 1000").unwrap();
        // Not those that end what they join: signals to the first process are the workload's.
        let ends = |script: &str| script.contains("seq 600") || script.contains("kill -USR1");
        for one in tries(By::Own).filter(|one| !ends(one.script)) {
            let (_, said) = container.join(None, &format!("rm -rf /tmp/* /dev/shm/*; {}", one.script));
            wrong.extend(one.wrong(&said).map(|why| format!("{who}, joined: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}: {}", place.by(), wrong.join("\n"));
}

#[test]
fn how_it_ends_is_kept() {
    for place in places() {
        ends(&place);
    }
}

fn ends(place: &Place) {
    for (name, script, code, said) in [
        ("well", "echo out; echo err >&2", 0, "out\nerr\n"),
        ("badly", "exit 7", 7, ""),
        ("by-signal", "kill -USR1 $$", 138, ""),
        ("orphans", "(sleep 0.2; echo late) & (sleep 1000 &) ; wait %1; exit 3", 3, "late\n"),
        ("without-line", "printf half", 0, "half\n"),
    ] {
        let container = place.start(name, (0, 0), script).unwrap();
        assert_eq!((container.wait().code(), container.said().as_str()), (code, said), "{name}");
    }
    // Signals go on to the workload.
    let script = "trap 'echo told; exit 5' TERM; echo ready; while true; do sleep 0.05; done";
    let container = place.start("told", (0, 0), script).unwrap();
    while !container.said().contains("ready") {
        std::thread::sleep(Duration::from_millis(5));
    }
    let kill = Command::new("kill").arg(container.first.pid.to_string()).status().unwrap();
    assert!(kill.success());
    assert_eq!((container.wait().code(), container.said().as_str()), (5, "ready\ntold\n"));
    // What is not there.
    let missing = place.start("join", (0, 0), "sleep 1000").unwrap();
    assert_eq!(missing.join(None, "exit 9").0, Some(9));
    let (code, said) = missing.join(Some((12, 34)), "id -u; id -g; id -G");
    assert_eq!((code, said.as_str()), (Some(0), "12\n34\n34\n"));
}

/// Where the control group of a process lies that keeps its devices.
fn keeps_devices(pid: i32) -> PathBuf {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let of_one = groups.lines().find_map(|line| Some((" rw,devices", line.split_once(":devices:")?.1)));
    let of_all = || groups.lines().find_map(|line| Some((" - cgroup2 ", line.strip_prefix("0::")?)));
    let (mounted, path) = of_one.or_else(of_all).unwrap();
    let mount = mounts.lines().find(|line| line.contains(mounted)).unwrap();
    PathBuf::from(format!("{}{path}", mount.split(' ').nth(4).unwrap()))
}

#[test]
fn no_device_of_the_machine_opens() {
    for place in places() {
        opens_none(&place);
    }
}

fn opens_none(place: &Place) {
    let container = place.start("devices", (0, 0), "sleep 1000").unwrap();
    let group = keeps_devices(container.first.pid);
    // Root of the machine itself, who sees all devices, and is in that control group.
    let script = "echo 0 > $0/cgroup.procs || exit 9; true < /dev/null || exit 8; true < /dev/kmsg && exit 7; \
                  mknod $1 c 1 11 && exit 6; exit 5";
    let mut shell = Command::new("sh");
    let done = shell.args(["-c", script]).arg(&group).arg(place.path("made")).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(if is_unified() { 5 } else { 6 }), "{said}");
    assert!(said.contains("ermi"), "{said}");
}

/// Whether all control groups are of version 2. A controller of version 1 lets nodes be made, for those who may at all.
fn is_unified() -> bool {
    !fs::read_to_string("/proc/self/mountinfo").unwrap().contains(" - cgroup ")
}

/// A program that makes a file in memory with the given flags and has it executed, and ends with the number of the error:
/// `EACCES` (13) where the kernel executes none, `ENOEXEC` (8) where it tried, `ENOSYS` (38) where none can be made.
#[cfg(target_arch = "x86_64")]
fn runs_from_memory(flags: u8) -> Vec<u8> {
    #[rustfmt::skip]
    let code = [
        0xb8, 0x3f, 0x01, 0, 0, // eax = memfd_create
        0x48, 0x8d, 0x3d, 0x31, 0, 0, 0, // rdi = ""
        0xbe, flags, 0, 0, 0, // esi
        0x0f, 0x05, 0x85, 0xc0, 0x78, 0x1b, // syscall; to the end where that failed
        0x89, 0xc7, // edi = the file
        0xb8, 0x42, 0x01, 0, 0, // eax = execveat
        0x48, 0x8d, 0x35, 0x18, 0, 0, 0, // rsi = ""
        0x31, 0xd2, 0x4d, 0x31, 0xd2, // no arguments, no variables
        0x41, 0xb8, 0, 0x10, 0, 0, // r8 = AT_EMPTY_PATH
        0x0f, 0x05, // syscall
        0xf7, 0xd8, 0x89, 0xc7, // edi = the error
        0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05, // exit
        0,
    ];
    let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    let word = |elf: &mut Vec<u8>, number: u64| elf.extend(number.to_le_bytes());
    word(&mut elf, 0x40_0078);
    word(&mut elf, 64);
    word(&mut elf, 0);
    elf.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    elf.extend([1, 0, 0, 0, 5, 0, 0, 0]);
    let size = (0x78 + code.len()) as u64;
    for number in [0, 0x40_0000, 0x40_0000, size, size, 0x1000] {
        word(&mut elf, number);
    }
    elf.extend(code);
    elf
}

#[cfg(target_arch = "x86_64")]
#[test]
fn nothing_runs_from_memory() {
    for place in places() {
        runs_none(&place);
    }
}

#[cfg(target_arch = "x86_64")]
fn runs_none(place: &Place) {
    for (name, flags) in [("probe", 0), ("asks", 0x10)] {
        let path = place.root.join(name);
        fs::write(&path, runs_from_memory(flags)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let plainly = Command::new(place.root.join("probe")).status().unwrap();
    assert_eq!(plainly.code(), Some(8), "outside, it is tried");
    let host = Host::probe();
    let setting = if host.memfd_noexec { "cat /proc/sys/vm/memfd_noexec" } else { "echo 2" };
    let script = format!("/probe; echo $?; /asks; echo $?; {setting}");
    let container = place.start("memory", (0, 0), &format!("{script}; sleep 1000")).unwrap();
    while container.said().lines().count() < 3 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(container.said(), "38\n38\n2\n", "none can be made, and none would be executed");
    assert_eq!(container.join(None, &script).1, "38\n38\n2\n", "nor by what joins");
}
