//! Containers from their start to their end, beside `runc` and `podman`; programs that join one; what one costs that rests.
//!
//! `running [--groups N] [IMAGE]`; the image is Alpine's from the shared fixtures where none is named. Needs to be root. Runs of all programs take turns,
//! so that a machine that slows down slows all of them down.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use boltseal_image::{Layers, Options};
use boltseal_model::Config;
use boltseal_runtime::{
    Host, Image, Wanted, bundle, plan,
    start::{Answer, End, Join, Request, Start, Started, status::Status},
};

use crate::{
    figures::{Figures, print_ratio},
    process::{boltseal, memory_of, on_path},
};

const RUNS: usize = 40;
const GROUPS: usize = 100;
const FIXTURE: &str = "data/fixtures/images/alpine-311-docker-archive.tar.gz";
const GROUP: &str = "type: Microsoft.ContainerInstance/containerGroups
name: g
properties: {osType: Linux, containers: [{name: c, properties: {image: i, resources: {requests: {cpu: 1, memoryInGB: 0.125}}}}]}
";

/// What all of it is made in.
struct Bench {
    folder: tempfile::TempDir,
    program: String,
    root: PathBuf,
    image: String,
}

pub fn run(arguments: &[String]) -> Result<()> {
    let (mut groups, mut image) = (GROUPS, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--groups" => groups = rest.next().context("--groups NUMBER")?.parse()?,
            other => image = Some(other.to_owned()),
        }
    }
    let image = match image {
        Some(image) => image,
        None => {
            format!("docker-archive:{}", boltseal_testkit::shared(FIXTURE).context("no fixtures")?.display())
        }
    };
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711))?;
    let layers = Layers::open(&folder.path().join("layers"))?;
    let (_, unpacked) = layers.unpack(&image, &Options::default())?;
    let root = unpacked.last().context("an image without layers")?.path.clone();
    // Users of containers have to get through; an agent mounts the layers, and needs not let anybody in.
    for path in root.ancestors().skip(1).take_while(|path| *path != folder.path()) {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o711))?;
    }
    let bench = Bench { program: boltseal()?, root, image, folder };
    bench.ends()?;
    bench.joins()?;
    bench.rests(groups)
}

impl Bench {
    /// A bundle of a program, and the same with a name of its own.
    fn bundle(&self, name: &str, command: &[&str]) -> Result<PathBuf> {
        let read = boltseal_orchestrator::read("group.yaml", GROUP.as_bytes())?;
        let config = Config {
            entrypoint: command.iter().map(|word| (*word).to_owned()).collect(),
            ..Config::default()
        };
        let images = [Image { name: "i".to_owned(), digest: None, config, user: Some((0, 0)) }];
        let workload = read.workloads.first().context("a group")?;
        let made = plan(&Wanted { workload, images: &images, host: &Host::probe(), range: 0 });
        let places = bundle::Places {
            root: self.root.clone(),
            cgroup: format!("/boltseal-bench-{name}"),
            hostname: "bench".to_owned(),
            ..bundle::Places::default()
        };
        let container = made.containers.first().context("a container")?;
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder)?;
        let specification = bundle::specification(container, &places)?;
        fs::write(folder.join("config.json"), serde_json::to_vec(&specification)?)?;
        Ok(folder)
    }

    fn state(&self) -> Result<PathBuf> {
        let state = self.folder.path().join("state");
        fs::create_dir_all(&state)?;
        Ok(state)
    }

    fn ask(&self, request: &Request) -> Result<std::process::Output> {
        let asked = self.folder.path().join("request");
        fs::write(&asked, serde_json::to_vec(request)?)?;
        Ok(Command::new(&self.program).arg("__runtime").arg(&asked).stdin(Stdio::null()).output()?)
    }

    fn start(&self, name: &str, bundle: &Path) -> Result<Started> {
        let wanted = Start {
            id: name.to_owned(),
            state: self.state()?,
            bundle: bundle.to_owned(),
            network: None,
            root: None,
            logs: [bundle.join("log.0"), bundle.join("log.1")],
            log_limit: 1 << 20,
            attended: None,
            runtime: None,
            status: bundle.join("status"),
        };
        let done = self.ask(&Request::Start(wanted))?;
        match serde_json::from_slice(&done.stdout)? {
            Answer::Started(started) => Ok(started),
            other => anyhow::bail!("{other:?}"),
        }
    }

    fn end(&self, name: &str) -> Result<()> {
        let cgroup = format!("/boltseal-bench-{name}");
        let done = self.ask(&Request::End(End { id: name.to_owned(), state: self.state()?, cgroup }))?;
        ensure!(matches!(serde_json::from_slice(&done.stdout)?, Answer::Ended), "{done:?}");
        Ok(())
    }

    /// `/bin/true`, from nothing to nothing.
    fn ends(&self) -> Result<()> {
        let (ours_bundle, theirs_bundle) =
            (self.bundle("ours", &["/bin/true"])?, self.bundle("runc", &["/bin/true"])?);
        let (runc, podman) = (on_path("runc"), on_path("podman"));
        let (mut ours, mut by_runc, mut by_podman) =
            (Figures::default(), Figures::default(), Figures::default());
        for _ in 0..RUNS {
            ours.push(timed(|| {
                let _ = fs::remove_file(ours_bundle.join("status"));
                self.start("ours", &ours_bundle)?;
                let begun = Instant::now();
                while Status::read(&ours_bundle.join("status")).is_none() {
                    ensure!(begun.elapsed() < Duration::from_secs(10), "it does not end");
                    std::thread::sleep(Duration::from_micros(200));
                }
                self.end("ours")
            })?);
            if let Some(runc) = &runc {
                let state = self.folder.path().join("runc-state");
                by_runc.push(timed(|| {
                    let mut command = Command::new(runc);
                    command
                        .arg("--root")
                        .arg(&state)
                        .args(["run", "--bundle"])
                        .arg(&theirs_bundle)
                        .arg("bench");
                    succeeds(&mut command)
                })?);
            }
            if let Some(podman) = &podman {
                by_podman.push(timed(|| {
                    let mut command = Command::new(podman);
                    command
                        .args(["run", "--rm", "--network", "none"])
                        // Its own are more than some machines let it raise.
                        .args(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--rootfs"])
                        .arg(&self.root)
                        .arg("/bin/true");
                    succeeds(&mut command)
                })?);
            }
        }
        ours.print("start and end, ours", "ms");
        by_runc.print("start and end, runc run", "ms");
        by_podman.print("start and end, podman run", "ms");
        println!("{:44} {:>10.2} ms", "ours over runc", ours.median() - by_runc.median());
        print_ratio("podman / ours", &by_podman, &ours);
        Ok(())
    }

    /// `/bin/true` in a container that runs.
    fn joins(&self) -> Result<()> {
        let bundle = self.bundle("joined", &["/bin/sleep", "1000"])?;
        let first = self.start("joined", &bundle)?;
        let join = || Join {
            id: "joined".to_owned(),
            state: self.folder.path().join("state"),
            first,
            command: vec!["/bin/true".to_owned()],
            env: Vec::new(),
            folder: None,
            user: None,
            terminal: None,
        };
        let (mut ours, mut by_runc) = (Figures::default(), Figures::default());
        let runc = on_path("runc");
        let (state, theirs) =
            (self.folder.path().join("runc-state"), self.bundle("runc-joined", &["/bin/sleep", "1000"])?);
        if let Some(runc) = &runc {
            let mut command = Command::new(runc);
            command
                .arg("--root")
                .arg(&state)
                .args(["run", "--detach", "--bundle"])
                .arg(&theirs)
                .arg("joined");
            // What it starts has its streams: a pipe would not end before that does.
            let nowhere = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            ensure!(nowhere.status()?.success(), "{command:?}");
        }
        for _ in 0..RUNS {
            ours.push(timed(|| {
                let done = self.ask(&Request::Join(join()))?;
                ensure!(done.status.success(), "{done:?}");
                Ok(())
            })?);
            if let Some(runc) = &runc {
                by_runc.push(timed(|| {
                    let mut command = Command::new(runc);
                    command.arg("--root").arg(&state).args(["exec", "joined", "/bin/true"]);
                    succeeds(&mut command)
                })?);
            }
        }
        if let Some(runc) = &runc {
            let mut command = Command::new(runc);
            command.arg("--root").arg(&state).args(["delete", "--force", "joined"]);
            succeeds(&mut command)?;
        }
        self.end("joined")?;
        ours.print("a program that joins, ours", "ms");
        by_runc.print("a program that joins, runc exec", "ms");
        print_ratio("runc exec / ours", &by_runc, &ours);
        Ok(())
    }

    /// Groups of one container that sleeps, by an agent: how long each takes, and what all of them cost.
    fn rests(&self, groups: usize) -> Result<()> {
        let run = tempfile::tempdir_in("/dev/shm")?;
        fs::set_permissions(run.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711))?;
        let socket = run.path().join("agent.sock");
        let mut agent = Command::new("unshare")
            .args(["--net", "--", &self.program, "agent", "--groups", "--without-docker", "--socket"])
            .arg(&socket)
            .arg("--data")
            .arg(self.folder.path().join("data"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let ask = |arguments: &[&str]| -> Result<()> {
            let mut command = Command::new(&self.program);
            command
                .args(arguments)
                .env("BOLTSEAL_AGENT", &socket)
                .env("BOLTSEAL_DATA", self.folder.path().join("data"));
            succeeds(&mut command)
        };
        let begun = Instant::now();
        while ask(&["ps"]).is_err() {
            ensure!(begun.elapsed() < Duration::from_secs(20), "the agent does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        let before = memory_of(agent.id(), "VmRSS")?;
        let mut figures = Figures::default();
        let whole = self.rested(groups, &ask, &mut figures);
        let after = memory_of(agent.id(), "VmRSS")?;
        for number in 0..groups {
            ask(&["rm", "--force", &format!("g{number}")])?;
        }
        agent.kill()?;
        agent.wait()?;
        let (first, rest) = whole?;
        figures.print("a group, asked for to acknowledged", "ms");
        let each = 1.0 / groups.max(1) as f64;
        println!("{:44} {:>10.2} MiB   of {groups}", "agent, more for each group", (after - before) * each);
        println!(
            "{:44} {:>10.2} MiB   its share of what is shared, too",
            "first process, each",
            first * each
        );
        println!(
            "{:44} {:>10.2} MiB   with the workload (sleep)",
            "a container that rests",
            (after - before + first + rest) * each
        );
        Ok(())
    }

    fn rested(
        &self,
        groups: usize,
        ask: &dyn Fn(&[&str]) -> Result<()>,
        figures: &mut Figures,
    ) -> Result<(f64, f64)> {
        for number in 0..groups {
            let name = format!("g{number}");
            figures.push(timed(|| {
                ask(&["run", "-d", "--allow-unverified", "--name", &name, &self.image, "--", "sleep", "1000"])
            })?);
        }
        std::thread::sleep(Duration::from_secs(2));
        let (mut first, mut rest, mut found) = (0.0, 0.0, 0);
        for entry in fs::read_dir("/proc")?.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
            if !cgroups.contains("/boltseal/g") {
                continue;
            }
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            let share = share(pid)?;
            if name.trim() == "boltseal-init" {
                (first, found) = (first + share, found + 1);
            } else {
                rest += share;
            }
        }
        ensure!(found == groups, "{found} of {groups} containers run");
        Ok((first, rest))
    }
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}

fn succeeds(command: &mut Command) -> Result<()> {
    let done = command.stdin(Stdio::null()).output()?;
    ensure!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// MiB of a process, with its share of what others have too (`Pss` of `proc_pid_smaps(5)`).
fn share(pid: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}
