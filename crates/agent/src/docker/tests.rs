//! What may be asked of an engine, and every trick by which people got past gates like this one.

use base64::Engine as _;
use boltseal_model::{
    Decision::{self, Allow, Deny, Unknown, Warn},
    Ruling,
};

use super::{
    by_settings,
    decide::{self, Outcome},
    settings::Settings,
};

/// The question of the engine about a request.
fn question(method: &str, uri: &str, body: Option<&str>) -> Vec<u8> {
    let body = body.map(|body| base64::engine::general_purpose::STANDARD.encode(body));
    serde_json::to_vec(&serde_json::json!({
        "User": "alice", "UserAuthNMethod": "TLS", "RequestMethod": method, "RequestUri": uri, "RequestBody": body,
    }))
    .unwrap()
}

/// What becomes of it by settings alone: "allow", or why not.
fn outcome(settings: &Settings, method: &str, uri: &str, body: Option<&str>) -> String {
    match by_settings(&question(method, uri, body), settings) {
        Ok(()) => "allow".to_owned(),
        Err(why) => why,
    }
}

const CREATE: &str = "/v1.41/containers/create?name=x";

/// Method, path, body, and what the answer contains on a host that opens nothing.
const CASES: &[(&str, &str, Option<&str>, &str)] = &[
    // What people do.
    ("GET", "/v1.41/containers/json?all=1", None, "allow"),
    ("HEAD", "/_ping", None, "allow"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"Memory":1000,"CapDrop":["ALL"]}}"#), "allow"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"SecurityOpt":["no-new-privileges"]}}"#), "allow"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"Binds":["data:/data:ro"]}}"#), "allow"),
    (
        "POST",
        CREATE,
        Some(r#"{"Image":"a","HostConfig":{"Mounts":[{"Type":"tmpfs","Target":"/t"}]}}"#),
        "allow",
    ),
    ("POST", CREATE, Some(r#"{"Image":"a","Labels":{"a":"1","A":"2"},"HostConfig":null}"#), "allow"),
    ("POST", "/containers/web/stop?t=5", None, "allow"),
    ("POST", "/v1.41/containers/web/start", None, "allow"),
    ("POST", "/v1.41/containers/web/exec", Some(r#"{"Cmd":["sh"],"Privileged":false}"#), "allow"),
    ("POST", "/v1.41/images/registry.example.com:5000/team/a/push?tag=v1", None, "allow"),
    ("DELETE", "/v1.41/images/team/a:v1?force=1", None, "allow"),
    ("POST", "/v1.41/volumes/create", Some(r#"{"Name":"data","Driver":"local"}"#), "allow"),
    // Openings, by every field.
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"Privileged":true}}"#), "privileged"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"NetworkMode":"host"}}"#), "network=host"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"PidMode":"host"}}"#), "pid=host"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"IpcMode":"host"}}"#), "ipc=host"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"UTSMode":"host"}}"#), "uts=host"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"UsernsMode":"host"}}"#), "userns=host"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"CgroupnsMode":"host"}}"#), "cgroupns=host"),
    (
        "POST",
        CREATE,
        Some(r#"{"Image":"a","HostConfig":{"CapAdd":["cap_sys_admin"]}}"#),
        "capability=SYS_ADMIN",
    ),
    (
        "POST",
        CREATE,
        Some(r#"{"Image":"a","HostConfig":{"SecurityOpt":["seccomp=unconfined"]}}"#),
        "security-opt=seccomp=unconfined",
    ),
    (
        "POST",
        CREATE,
        Some(r#"{"Image":"a","HostConfig":{"SecurityOpt":["no-new-privileges:false"]}}"#),
        "no-new-privileges:false",
    ),
    (
        "POST",
        CREATE,
        Some(r#"{"Image":"a","HostConfig":{"Devices":[{"PathOnHost":"/dev/sda"}]}}"#),
        "device=/dev/sda",
    ),
    (
        "POST",
        CREATE,
        Some(r#"{"Image":"a","HostConfig":{"DeviceRequests":[{"Driver":"nvidia"}]}}"#),
        "device-request=nvidia",
    ),
    (
        "POST",
        CREATE,
        Some(r#"{"Image":"a","HostConfig":{"DeviceCgroupRules":["c 1:3 mr"]}}"#),
        "device-rule=",
    ),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"MaskedPaths":[]}}"#), "unmasked=MaskedPaths"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"Runtime":"evil"}}"#), "runtime=evil"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"CgroupParent":"/"}}"#), "cgroup-parent=/"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"Sysctls":{"kernel.x":"1"}}}"#), "sysctl=kernel.x"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"Binds":["/:/host"]}}"#), "mount=/"),
    (
        "POST",
        CREATE,
        Some(r#"{"Image":"a","HostConfig":{"Mounts":[{"Type":"BIND","Source":"/etc"}]}}"#),
        "mount=/etc",
    ),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"VolumeDriver":"evil"}}"#), "volume-driver=evil"),
    (
        "POST",
        CREATE,
        Some(r#"{"Image":"a","NetworkingConfig":{"EndpointsConfig":{"host":{}}}}"#),
        "network=host",
    ),
    // A folder of the host under the name of a volume.
    (
        "POST",
        CREATE,
        Some(
            r#"{"Image":"a","HostConfig":{"Mounts":[{"Type":"volume","VolumeOptions":{"DriverConfig":{"Name":"local","Options":{"type":"none","o":"bind","device":"/"}}}}]}}"#,
        ),
        "mount=/",
    ),
    (
        "POST",
        "/volumes/create",
        Some(r#"{"DriverOpts":{"type":"none","o":"bind","device":"/root"}}"#),
        "mount=/root",
    ),
    ("POST", "/volumes/create", Some(r#"{"Driver":"evil"}"#), "volume-driver=evil"),
    // Names as Go takes them.
    ("POST", CREATE, Some(r#"{"Image":"a","hostconfig":{"PRIVILEGED":true}}"#), "privileged"),
    ("POST", CREATE, Some("{\"Image\":\"a\",\"Ho\u{17f}tConfig\":{\"Privileged\":true}}"), "privileged"),
    (
        "POST",
        CREATE,
        Some("{\"Image\":\"a\",\"HostConfig\":{\"Networ\u{212a}Mode\":\"host\"}}"),
        "network=host",
    ),
    // Twice: Go merges.
    (
        "POST",
        CREATE,
        Some(r#"{"Image":"a","HostConfig":{"Privileged":true},"HostConfig":{}}"#),
        "`HostConfig` more than once",
    ),
    (
        "POST",
        CREATE,
        Some(r#"{"Image":"a","HostConfig":{"Privileged":true,"privileged":false}}"#),
        "`Privileged` more than once",
    ),
    // Outside of `HostConfig`, as the engine still takes it.
    ("POST", CREATE, Some(r#"{"Image":"a","Privileged":true}"#), "privileged"),
    ("POST", CREATE, Some(r#"{"Image":"a","Binds":["/:/host"]}"#), "mount=/"),
    // Bodies that are not seen (CVE-2024-41110), or not what the API says.
    ("POST", CREATE, None, "without the body"),
    ("POST", CREATE, Some(""), "without the body"),
    ("POST", "/containers/x/exec", None, "without the body"),
    ("POST", CREATE, Some("{\"Image\":\"a\"} {\"HostConfig\":{}}"), "not JSON"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":{"Privileged":"true"}}"#), "not true or false"),
    ("POST", CREATE, Some(r#"{"Image":"a","HostConfig":[]}"#), "not inside an object"),
    // Paths.
    ("POST", "/v1.41//containers/create", Some(r#"{"Privileged":true}"#), "privileged"),
    ("POST", "/v1.41/containers/%63reate", Some(r#"{"Privileged":true}"#), "privileged"),
    ("POST", "/v1.41/x/../containers/create", Some("{}"), "goes up"),
    ("POST", "/v1.41/containers/%2e%2e/create", Some("{}"), "goes up"),
    ("POST", "/v1.23/containers/x/start", Some(r#"{"Privileged":true}"#), "1.24 or later"),
    ("post", CREATE, Some(r#"{"HostConfig":{"Privileged":true}}"#), "privileged"),
    ("POST", "/v1.99/sandboxes/create", Some("{}"), "no request that this gate knows"),
    ("PATCH", "/v1.41/containers/x", None, "no request that this gate knows"),
    // Commands.
    ("POST", "/containers/x/exec", Some(r#"{"Privileged":true}"#), "privileged"),
    ("POST", "/containers/x/update", Some(r#"{"Devices":[{"PathOnHost":"/dev/mem"}]}"#), "device=/dev/mem"),
    ("POST", "/build?t=x&networkmode=host", None, "build: allow"),
    ("POST", "/session", None, "build: allow"),
    ("POST", "/grpc", None, "build: allow"),
    ("POST", "/plugins/pull?remote=x", None, "plugins: allow"),
    ("POST", "/plugins/vieux/sshfs/enable", None, "plugins: allow"),
    (
        "POST",
        "/services/create",
        Some(r#"{"TaskTemplate":{"ContainerSpec":{"Mounts":[{"Type":"bind","Source":"/"}]}}}"#),
        "mount=/",
    ),
    (
        "POST",
        "/services/x/update?version=1",
        Some(r#"{"TaskTemplate":{"Networks":[{"Target":"host"}]}}"#),
        "network=host",
    ),
    ("POST", "/services/create", Some(r#"{"TaskTemplate":{"Runtime":"plugin"}}"#), "runtime=plugin"),
    (
        "POST",
        "/services/create",
        Some(r#"{"TaskTemplate":{"ContainerSpec":{"CapabilityAdd":["CAP_NET_ADMIN"]}}}"#),
        "capability=NET_ADMIN",
    ),
    (
        "POST",
        "/services/create",
        Some(r#"{"TaskTemplate":{"ContainerSpec":{"Privileges":{"Seccomp":{"Mode":"unconfined"}}}}}"#),
        "seccomp=unconfined",
    ),
];

#[test]
fn what_opens_a_host_is_refused() {
    let sealed = Settings::default();
    for (method, uri, body, expected) in CASES {
        let found = outcome(&sealed, method, uri, *body);
        assert!(found.contains(expected), "{method} {uri} {body:?}: {found}");
    }
}

#[test]
fn settings_open_what_they_name_and_no_more() {
    let settings = Settings::read(
        "version: 1\nopenings: [network=host, mount=/srv/data, capability=NET_ADMIN]\nbuild: allow\n\
         registries: [registry.example.com/team]\n",
    )
    .unwrap();
    let with = |config: &str| {
        outcome(&settings, "POST", "/containers/create", Some(&format!(r#"{{"HostConfig":{config}}}"#)))
    };
    for (config, expected) in [
        (r#"{"NetworkMode":"host"}"#, "allow"),
        (r#"{"PidMode":"host"}"#, "pid=host"),
        (r#"{"CapAdd":["CAP_NET_ADMIN"]}"#, "allow"),
        (r#"{"CapAdd":["ALL"]}"#, "capability=ALL"),
        (r#"{"Binds":["/srv/data/web:/web"]}"#, "allow"),
        (r#"{"Binds":["/srv/data:/web"]}"#, "allow"),
        (r#"{"Binds":["/srv/database:/web"]}"#, "mount=/srv/database"),
        (r#"{"Binds":["/srv/data/../../etc:/web"]}"#, "mount=/srv/data/../../etc"),
        (r#"{"Binds":["/srv:/web"]}"#, "mount=/srv"),
    ] {
        let found = with(config);
        assert!(found.contains(expected), "{config}: {found}");
    }
    assert_eq!(outcome(&settings, "POST", "/build", None), "allow");
    for (query, expected) in [
        ("fromImage=registry.example.com/team/app&tag=v1", "allow"),
        (
            "fromImage=registry.example.com/team/app&tag=sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0",
            "allow",
        ),
        ("fromImage=registry.example.com/teams/app&tag=v1", "is not among the `registries`"),
        ("fromImage=registry.example.com.evil.org/team/app&tag=v1", "is not among"),
        ("fromImage=alpine&tag=latest", "docker.io/library/alpine is not among"),
        ("fromImage=a&fromImage=registry.example.com/team/app", "docker.io/library/a is not among"),
        ("fromSrc=-&repo=x", "allow"),
    ] {
        let found = outcome(&settings, "POST", &format!("/v1.41/images/create?{query}"), None);
        assert!(found.contains(expected), "{query}: {found}");
    }
    for (text, expected) in [
        ("version: 2", "version 2"),
        ("openings: []", "version"),
        ("version: 1\nopenings: [privilege]", "`privilege` names no opening"),
        ("version: 1\nopenings: [network]", "`network` names no opening"),
        ("version: 1\nregistries: [team]", "`team` is no registry"),
        ("version: 1\nunkown: allow", "unkown"),
    ] {
        let wrong = Settings::read(text).unwrap_err().to_string();
        assert!(wrong.contains(expected), "{text}: {wrong}");
    }
}

#[test]
fn one_image_under_several_names() {
    let ruling = |decision: Decision| match decision {
        Unknown => Ruling::unknown("why"),
        _ => Ruling { decision, judged: true, why: format!("{}: why", decision.word()) },
    };
    let settings = |unknown: &str| Settings::read(&format!("version: 1\nunknown: {unknown}")).unwrap();
    let check = |rulings: &[Ruling], unknown: &str, expected: &str| {
        let found = match decide::by_rulings("app:v1", rulings, &settings(unknown)) {
            Outcome::Allowed => "allowed".to_owned(),
            Outcome::Warned(why) => format!("warned {why}"),
            Outcome::Refused(why) => why,
        };
        assert!(found.contains(expected), "{rulings:?} {unknown}: {found}");
    };
    for (decisions, unknown, expected) in [
        (&[][..], "deny", "it came from no registry"),
        (&[][..], "warn", "warned"),
        (&[][..], "allow", "allowed"),
        (&[Allow][..], "deny", "allowed"),
        (&[Warn][..], "deny", "warned"),
        (&[Unknown][..], "deny", "push it to the registry that judges it"),
        (&[Unknown, Allow][..], "deny", "allowed"),
        (&[Allow, Deny][..], "allow", "deny: why"),
        (&[Unknown, Deny][..], "allow", "deny: why"),
    ] {
        let rulings: Vec<Ruling> = decisions.iter().map(|decision| ruling(*decision)).collect();
        check(&rulings, unknown, expected);
    }
    // What was judged and is not known enough about is not what settings may let run.
    let judged = Ruling { decision: Unknown, judged: true, why: "unknown: could not be scanned".to_owned() };
    check(std::slice::from_ref(&judged), "allow", "could not be scanned");
    check(&[ruling(Allow), judged], "allow", "could not be scanned");
}
