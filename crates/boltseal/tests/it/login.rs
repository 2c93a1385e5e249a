//! Logging in and out, with secrets, codes and shares; and what a login is good for.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use boltseal_testkit::peer;

use crate::{
    binary::{Ran, User},
    service::Service,
};

/// Logs the first principal in, and gives its secret.
pub fn as_admin(user: &User, service: &Service) -> String {
    let secret = service.printed("secret").expect("the first start prints a secret");
    log_in(user, service, "admin", &secret).ended(0);
    secret
}

/// Tries to log somebody in.
pub fn log_in(user: &User, service: &Service, name: &str, secret: &str) -> Ran {
    user.feed(&["login", &service.https, "--name", name, "--secret-stdin"], &format!("{secret}\n"))
}

#[test]
fn a_login_is_remembered_until_it_ends() {
    let user = User::new();
    user.run(&["whoami"]).ended(3).complained(&["nobody is logged in", "boltseal login"]);
    let service = Service::start(&user, &[]);
    let server = format!("https://{}", service.https);
    let wrong = log_in(&user, &service, "admin", "bsl_wrong").ended(3);
    wrong.complained(&["wrong", "try again with the right name"]);
    as_admin(&user, &service);

    let file = user.home().join(".config/boltseal/servers.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = fs::read_to_string(&file).unwrap();
    assert!(!kept.contains(&service.printed("secret").unwrap()), "the secret itself is remembered");

    user.run(&["whoami"]).ended(0).said(&["admin", &server, "Owner", "Auditor"]);
    let me = user.run(&["whoami", "--format", "json"]).ended(0).json();
    assert_eq!(me["via"], "token");
    user.run(&["whoami", "--server", "https://127.0.0.1:1"]).ended(3).complained(&["boltseal login"]);

    // A token in the environment is as good as a login, and one that was made up is not.
    let token = serde_json::from_str::<serde_json::Value>(&kept).unwrap()["servers"][0]["token"].clone();
    let stranger = User::new();
    let ca = user.data().join("tls/ca.pem");
    let with = |token: &str| {
        let mut command = stranger.command(&["whoami", "--server", &service.https, "--ca"]);
        command.arg(&ca).env("BOLTSEAL_TOKEN", token).output().unwrap().status.code()
    };
    assert_eq!((with(token.as_str().unwrap()), with("bst_made_up")), (Some(0), Some(3)));

    let ended = kept.replace("\"expires\": \"2", "\"expires\": \"1");
    assert_ne!(ended, kept);
    fs::write(&file, ended).unwrap();
    user.run(&["whoami"]).ended(3).complained(&["ended at", &format!("boltseal login {server}")]);

    as_admin(&user, &service);
    let kept = fs::read_to_string(&file).unwrap();
    user.run(&["logout"]).ended(0).complained(&["logged out of"]);
    user.run(&["whoami"]).ended(3).complained(&["nobody is logged in"]);
    user.run(&["logout"]).ended(0);
    fs::write(&file, kept).unwrap();
    user.run(&["whoami"]).ended(3).complained(&["boltseal login"]);
    service.stop();
}

#[test]
fn a_second_factor_and_passwords() {
    let Some(python) = peer("python3") else { return };
    let user = User::new();
    let service = Service::start(&user, &[]);
    as_admin(&user, &service);
    let first = "seven violet lanterns hum";
    user.feed(&["user", "create", "bob", "--password-stdin"], &format!("{first}\n")).ended(0);
    let bob = User::new();
    fs::create_dir_all(bob.data().join("tls")).unwrap();
    fs::copy(user.data().join("tls/ca.pem"), bob.data().join("tls/ca.pem")).unwrap();
    log_in(&bob, &service, "bob", first).ended(0);
    bob.run(&["user", "list"]).ended(1).complained(&["Boltseal/principals/read"]);

    let second = "hum lanterns violet seven";
    let both = format!("{first}\n{second}\n");
    bob.feed(&["user", "password", "--password-stdin"], &both).ended(0);
    log_in(&bob, &service, "bob", first).ended(3);
    log_in(&bob, &service, "bob", second).ended(0);

    let recovery = set_up_totp(&bob, &python);
    let without = log_in(&bob, &service, "bob", second).ended(2);
    without.complained(&["no terminal", "--code-stdin"]);
    let with = |code: &str| {
        let args = ["login", &service.https, "--name", "bob", "--secret-stdin", "--code-stdin"];
        bob.feed(&args, &format!("{second}\n{code}\n"))
    };
    with(&recovery).ended(0);
    with(&recovery).ended(3).complained(&["one-time password is wrong"]);

    user.run(&["user", "totp", "--remove", "--of", "bob"]).ended(0);
    log_in(&bob, &service, "bob", second).ended(0);

    user.run(&["user", "disable", "bob"]).ended(0);
    bob.run(&["whoami"]).ended(3);
    user.run(&["user", "show", "bob"]).ended(0).said(&["disabled", "password"]);
    user.run(&["sp", "show", "bob"]).ended(2).complained(&["bob is a user, not a service principal"]);
    user.run(&["user", "delete", "bob"]).ended(0);
    user.run(&["user", "show", "bob"]).ended(2).complained(&["bob"]);
    service.stop();
}

/// Answers what the authenticator would, and gives a recovery code.
fn set_up_totp(user: &User, python: &std::path::Path) -> String {
    const CODE: &str = "import base64,hmac,struct,sys,time;from urllib.parse import urlparse,parse_qs\n\
        s=parse_qs(urlparse(sys.argv[1]).query)['secret'][0]\n\
        h=hmac.new(base64.b32decode(s+'='*(-len(s)%8)),struct.pack('>Q',int(time.time())//30),'sha1').digest()\n\
        o=h[-1]&15;print('%06d'%((struct.unpack('>I',h[o:o+4])[0]&0x7fffffff)%1000000))";
    let mut command = user.command(&["user", "totp", "--code-stdin"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let uri = line.trim().strip_prefix("uri: ").expect("the URI first").to_owned();
    assert!(uri.starts_with("otpauth://totp/"), "{uri}");
    let code = Command::new(python).args(["-c", CODE, &uri]).output().unwrap().stdout;
    child.stdin.take().unwrap().write_all(&code).unwrap();
    let codes: Vec<String> = out.lines().map(|line| line.unwrap()).collect();
    assert!(child.wait().unwrap().success());
    assert!(codes.len() > 5, "{codes:?}");
    codes[0].strip_prefix("recovery: ").unwrap().to_owned()
}

#[test]
fn shares_open_the_glass() {
    let user = User::new();
    let service = Service::start(&user, &[]);
    as_admin(&user, &service);
    let prepared = user.run(&["break-glass", "prepare", "--shares", "3", "--threshold", "2"]).ended(0).out;
    let shares: Vec<&str> = prepared.lines().collect();
    assert_eq!(shares.len(), 3);
    user.run(&["logout"]).ended(0);

    let reason = "the identity provider is down";
    let open = |shares: &str| {
        let args = ["break-glass", "open", "--reason", reason, "--server", &service.https];
        user.feed(&args, shares)
    };
    open(shares[0]).ended(2).complained(&["1 shares are fewer than the 2"]);
    let typo = format!("{}\n{}\n", shares[0], shares[1].replace(&shares[1][6..8], "ZZ"));
    open(&typo).ended(2).complained(&["share 2 of standard input"]);
    open(&format!("{}\n\n{}\n", shares[2], shares[0])).ended(0).complained(&["break-glass"]);
    user.run(&["whoami"]).ended(0).said(&["break-glass", "BreakGlass"]);
    user.run(&["audit", "log", "--alerts"]).ended(0).said(&["ALERT break-glass signed in"]);
    user.run(&["audit", "log", "--alerts", "--format", "json"]).ended(0).said(&[reason]);
    service.stop();
}
