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
    shared, skip,
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
struct Place {
    folder: tempfile::TempDir,
    root: PathBuf,
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
        Some(Self { folder, root })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a container that runs `script`.
    fn start(&self, name: &str, user: (u32, u32), script: &str) -> Result<Container<'_>, String> {
        let read = boltseal_orchestrator::read("group.yaml", GROUP).unwrap();
        let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let config = Config { entrypoint: command, ..Config::default() };
        let images = [Image { name: "alpine".to_owned(), digest: None, config, user: Some(user) }];
        let made =
            plan(&Wanted { workload: &read.workloads[0], images: &images, host: &Host::probe(), range: 0 });
        assert_eq!(made.refusals, []);
        let id = format!("boltseal-test-{}-{name}", std::process::id());
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

struct Container<'a> {
    place: &'a Place,
    id: String,
    first: Started,
    logs: [PathBuf; 2],
    status: PathBuf,
}

impl Container<'_> {
    /// How it ended, once it did.
    fn wait(&self) -> Status {
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
    fn said(&self) -> String {
        let entries = Reader::new(self.logs.clone()).take().unwrap();
        entries.iter().flat_map(|entry| [entry.text.as_str(), "\n"]).collect()
    }

    /// What one more program says.
    fn join(&self, user: Option<(u32, u32)>, script: &str) -> (Option<i32>, String) {
        let request = Request::Join(Join {
            id: self.id.clone(),
            state: self.place.path("state"),
            first: self.first,
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            env: Vec::new(),
            folder: None,
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
        for hierarchy in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
            assert!(!hierarchy.path().join(&self.id).exists(), "{}", hierarchy.path().display());
        }
    }
}

#[test]
fn what_a_sealed_container_cannot_do() {
    let Some(place) = Place::new() else { return };
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
        for one in tries(By::Own).filter(|one| !one.script.contains("seq 600")) {
            let (_, said) = container.join(None, &format!("rm -rf /tmp/* /dev/shm/*; {}", one.script));
            wrong.extend(one.wrong(&said).map(|why| format!("{who}, joined: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn how_it_ends_is_kept() {
    let Some(place) = Place::new() else { return };
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
    let Some(place) = Place::new() else { return };
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
