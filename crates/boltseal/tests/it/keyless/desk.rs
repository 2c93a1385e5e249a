//! Where people sit: which way they sign in when nobody says, and the browser that is started for them.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    thread::sleep,
    time::{Duration, Instant},
};

use super::{
    CI, World,
    asking::Asking,
    issuer::{Issuer, USER_CODE, agreed},
    people::{open, world},
    texts,
};

const PATIENCE: Duration = Duration::from_secs(30);
const ASKED: &str = "please: to sign in, open this address in a browser on this machine";

/// A program that opens addresses: it writes down which, and whether it was handed a secret. The `PATH` with it.
fn opener(world: &World) -> String {
    let program = world.user.write(
        "desk/xdg-open",
        "#!/bin/sh\necho \"$1 secret=$SIGSTORE_ID_TOKEN\" > \"$HOME/opening\" && mv \"$HOME/opening\" \"$HOME/opened\"\n",
    );
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let folder = world.user.home().join("desk");
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths([folder].into_iter().chain(env::split_paths(&rest))).unwrap().into_string().unwrap()
}

/// What the program was asked to open.
fn opened(world: &World) -> String {
    let (file, until) = (world.user.home().join("opened"), Instant::now() + PATIENCE);
    while !file.exists() {
        assert!(Instant::now() < until, "no browser was started");
        sleep(Duration::from_millis(10));
    }
    let line = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    line.trim().to_owned()
}

/// Comes back from the issuer as a browser would.
fn come_back(issuer: &Issuer, address: &str) {
    let (mut redirect, state) = issuer.visit(address);
    redirect.set_query(Some(&agreed(&state)));
    assert_eq!(open(&redirect).0, 200);
}

#[test]
fn a_browser_is_started_where_somebody_has_a_display() {
    let Some((world, issuer)) = world() else { return };
    let path = opener(&world);
    for flow in [&[][..], &["--oidc-flow", "browser"]] {
        let desk = [("PATH", path.as_str()), ("WAYLAND_DISPLAY", "wayland-0")];
        let mut asking = Asking::at_terminal(&world, &issuer, flow, &desk);
        let told = asking.line();
        assert!(told.starts_with(ASKED), "{told}");
        let address = asking.line();
        // The same that is printed, and none of our secrets.
        assert_eq!(opened(&world), format!("{address} secret="));
        come_back(&issuer, &address);
        let (code, said) = asking.ended();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("your browser should open it by itself"), "{said}");
    }

    // A desk without that program: the address is printed in any case.
    let empty = world.user.home().join("empty");
    fs::create_dir(&empty).unwrap();
    let desk = [("PATH", empty.to_str().unwrap()), ("DISPLAY", ":0")];
    let mut asking = Asking::at_terminal(&world, &issuer, &[], &desk);
    assert!(asking.line().starts_with(ASKED));
    come_back(&issuer, &asking.line());
    let (code, said) = asking.ended();
    assert!(code == Some(0) && !said.contains("by itself"), "{code:?} {said}");
    world.user.run(&[&["verify", &world.image], &CI[..]].concat()).ended(0).said(&["verified: 3 signatures"]);
}

#[test]
fn without_a_display_a_code_is_shown() {
    let Some((world, mut issuer)) = world() else { return };
    let path = opener(&world);
    *issuer.life.lock().unwrap() = 600;
    for more in [&[][..], &[("DISPLAY", "")]] {
        let mut asking =
            Asking::at_terminal(&world, &issuer, &[], &[&[("PATH", path.as_str())], more].concat());
        let told = asking.line();
        assert!(told.contains(&format!("type in the code {USER_CODE}")), "{told}");
        let (code, said) = asking.ended();
        assert_eq!(code, Some(0), "{said}");
    }

    // This issuer signs in browsers alone, so the address is for one that can come back here, such as through a tunnel.
    issuer.url = format!("{}/browsers", issuer.url);
    let mut asking = Asking::at_terminal(&world, &issuer, &[], &[("PATH", path.as_str())]);
    let told = asking.line();
    assert!(told.starts_with(ASKED), "{told}");
    assert!(asking.line().contains("response_type=code"));
    asking.broken_off();
    assert!(!world.user.home().join("opened").exists(), "a browser was started");
}

#[test]
fn where_nobody_sits_nobody_is_waited_for() {
    let Some((world, issuer)) = world() else { return };
    let keyless = world.keyless();
    // Nobody is asked anything: the image is not even signed with a token that is there, since an issuer was chosen.
    let args = ["--oidc-issuer", &issuer.url];
    world.user.run(&[&["sign", &world.image], &texts(&keyless)[..], &args].concat()).ended(2).complained(&[
        "nobody is at a terminal here to sign in at",
        "--identity-token",
        "SIGSTORE_ID_TOKEN",
        "id-token: write",
        "--oidc-flow",
    ]);
}
