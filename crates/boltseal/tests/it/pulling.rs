//! Real clients, as a service principal that holds only `AcrPull` on `team/*`: they pull there, push nowhere, and cannot
//! tell whether another repository exists. Each attempt is in the log with its reason.

use std::{
    path::Path,
    process::{Command, Output},
};

use boltseal_testkit::peer;

use crate::{
    binary::User,
    fixtures::{alpine, layout},
    login::as_admin,
    service::{Service, Skopeo},
};

/// Allows everything.
const LENIENT: &str = "version: 1\nname: lenient\nrules: []\n";
/// The user whose secret is a token.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

struct World {
    user: User,
    service: Service,
    secret: String,
}

/// Two repositories, and a service principal that may pull one of them.
fn world() -> Option<World> {
    let user = User::new();
    user.write(".local/share/boltseal/policy.yaml", LENIENT);
    let service = Service::start(&user, &[]);
    let skopeo = Skopeo::new(&user, &service)?;
    let image = layout(&user, "image", &alpine("1.36.1-r2"));
    skopeo.push(&image, "team/a:1");
    skopeo.push(&image, "other/b:1");
    skopeo.pull_until("other/b:1", "judged", Result::is_ok).unwrap();
    skopeo.pull_until("team/a:1", "judged-too", Result::is_ok).unwrap();
    as_admin(&user, &service);
    let secret = user.run(&["sp", "create", "ci"]).ended(0).value("secret");
    let scope = "/registries/main/repositories/team/*";
    user.run(&["role", "assign", "AcrPull", "--to", "ci", "--scope", scope]).ended(0);
    Some(World { user, service, secret })
}

impl World {
    fn refused(&self, repository: &str) {
        let subject = format!("/registries/main/repositories/{repository}");
        let log = ["audit", "log", "--who", "ci", "--outcome", "denied", "--subject", &subject];
        let ran = self.user.run(&log).ended(0);
        assert!(ran.out.contains("ci may not"), "nothing about {repository}:\n{}{}", ran.out, ran.err);
    }
}

#[test]
fn skopeo_sees_its_own_and_nothing_else() {
    let Some(world) = world() else { return };
    let Some(program) = peer("skopeo") else { return };
    let registry = &world.service.registry;
    let creds = format!("ci:{}", world.secret);
    let skopeo = |args: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("--insecure-policy").args(args).current_dir(world.user.home());
        said(&command.output().unwrap())
    };
    let pull = |name: &str, to: &str| {
        let (from, to) = (format!("docker://{registry}/{name}"), format!("oci:{to}"));
        skopeo(&["copy", "--quiet", "--src-tls-verify=false", "--src-creds", &creds, &from, &to])
    };
    pull("team/a:1", "pulled").unwrap();
    let to = format!("docker://{registry}/team/a:2");
    let push =
        skopeo(&["copy", "--quiet", "--dest-tls-verify=false", "--dest-creds", &creds, "oci:pulled", &to]);
    push.unwrap_err();
    let tags = |name: &str| {
        let from = format!("docker://{registry}/{name}");
        skopeo(&["list-tags", "--tls-verify=false", "--creds", &creds, &from])
    };
    // Nothing but the name differs between what is hidden and what is not there.
    for (hidden, missing) in [
        (pull("other/b:1", "x").unwrap_err(), pull("other/c:1", "x").unwrap_err()),
        (pull("other/b:none", "x").unwrap_err(), pull("other/c:none", "x").unwrap_err()),
        (tags("other/b").unwrap_err(), tags("other/c").unwrap_err()),
    ] {
        assert_eq!(plain(&hidden), plain(&missing.replace("other/c", "other/b")));
    }
    world.refused("team/a");
    world.refused("other/b");
    world.refused("other/c");
    let log = world.user.run(&["audit", "log", "--who", "ci", "--what", "read", "--outcome", "success"]);
    log.ended(0).said(&["team/a", "by AcrPull at /registries/main/repositories/team/*"]);
    world.service.stop();
}

#[test]
fn podman_logs_in_with_a_secret_and_with_a_token() {
    let Some(world) = world() else { return };
    let Some(program) = peer("podman") else { return };
    let conf = format!(
        "[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/graph\"\nrunroot = \"{0}/run\"\n",
        world.user.home().display()
    );
    let conf = world.user.write("storage.conf", conf);
    let registry = &world.service.registry;
    let podman = |args: &[&str], input: &str| client(&program, &conf, world.user.home(), args, input);
    let log_in = |name: &str, secret: &str| {
        let args =
            ["login", "--tls-verify=false", "--authfile=auth.json", "--username", name, "--password-stdin"];
        podman(&[&args[..], &[registry]].concat(), secret)
    };
    let pull = |name: &str| {
        let name = format!("{registry}/{name}");
        podman(&["pull", "--quiet", "--tls-verify=false", "--authfile=auth.json", &name], "")
    };
    log_in("ci", "bsl_wrong").unwrap_err();
    log_in("ci", &world.secret).unwrap();
    pull("team/a:1").unwrap();
    pull("other/b:1").unwrap_err();
    let name = format!("{registry}/team/a:1");
    podman(&["push", "--quiet", "--tls-verify=false", "--authfile=auth.json", &name], "").unwrap_err();

    let machine = User::new();
    std::fs::create_dir_all(machine.data().join("tls")).unwrap();
    std::fs::copy(world.user.data().join("tls/ca.pem"), machine.data().join("tls/ca.pem")).unwrap();
    crate::login::log_in(&machine, &world.service, "ci", &world.secret).ended(0);
    let token = machine.run(&["token"]).ended(0).out;
    log_in(NOBODY, token.trim()).unwrap();
    pull("team/a:1").unwrap();
    pull("other/b:1").unwrap_err();
    world.refused("other/b");
    world.service.stop();
}

/// The command line of Docker needs no daemon to log in; it is not installed everywhere.
#[test]
fn docker_logs_in() {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let Some(program) =
        std::env::split_paths(&folders).map(|path| path.join("docker")).find(|path| path.exists())
    else {
        println!("skipped: no docker");
        return;
    };
    let Some(world) = world() else { return };
    let log_in = |secret: &str| {
        let args =
            ["--config", "docker", "login", "--username", "ci", "--password-stdin", &world.service.registry];
        client(&program, "", world.user.home(), &args, secret)
    };
    log_in("bsl_wrong").unwrap_err();
    assert!(log_in(&world.secret).unwrap().contains("Login Succeeded"));
    world.service.stop();
}

/// Runs a client with `input` on standard input.
fn client(program: &Path, storage: &str, home: &Path, args: &[&str], input: &str) -> Result<String, String> {
    use std::io::Write as _;
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(home)
        .env("CONTAINERS_STORAGE_CONF", storage)
        .env("BUILDAH_ISOLATION", "chroot");
    command.stdin(std::process::Stdio::piped());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _closed_early = child.stdin.take().unwrap().write_all(input.as_bytes());
    said(&child.wait_with_output().unwrap())
}

fn said(output: &Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Without the time that skopeo prints before its messages.
fn plain(message: &str) -> String {
    message.split("level=").last().unwrap_or(message).to_owned()
}
