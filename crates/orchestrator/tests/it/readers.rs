//! Every other orchestrator: real files, and one definition in each language that does everything wrong.

use std::{collections::BTreeSet, fs};

use boltseal_orchestrator::{
    leaf::Leaf,
    read::{self, Read, read},
};

use crate::{files, findings};

fn folder(name: &str) -> Option<Vec<(String, Vec<u8>)>> {
    Some(files(&boltseal_testkit::shared(&format!("data/orchestrators/{name}"))?))
}

/// How many workloads a folder of samples defines, and that each has a container.
fn count(folder: &[(String, Vec<u8>)], orchestrator: &str) -> usize {
    let mut number = 0;
    for (name, bytes) in folder {
        let read = read(name, bytes).unwrap();
        assert!(read.gaps.is_empty(), "{name}: {:?}", read.gaps);
        for workload in &read.workloads {
            assert_eq!(workload.source.orchestrator, orchestrator, "{name}");
            assert!(workload.source.line > 0 && !workload.containers.is_empty(), "{name}");
            number += 1;
        }
    }
    number
}

#[test]
fn samples_are_read() {
    for (name, orchestrator, number) in
        [("compose", "compose", 46), ("marathon", "marathon", 3), ("service-fabric", "service-fabric", 10)]
    {
        let Some(files) = folder(name) else { return };
        let found = count(&files, orchestrator);
        println!("{name}: {found} workloads in {} files", files.len());
        assert!(found >= number, "{name}: {found}");
    }
}

/// Security context constraints are objects without workloads.
#[test]
fn constraints_are_objects() {
    let Some(files) = folder("openshift-scc") else { return };
    for (name, bytes) in files {
        let read = read(&name, &bytes).unwrap();
        assert_eq!(read.objects[0].kind, "SecurityContextConstraints");
        assert!(read.workloads.is_empty(), "{name}");
    }
}

const COMPOSE: &str = "\
name: shop
services:
  web:
    image: nginx:${TAG:-latest}
    privileged: true
    network_mode: host
    pid: host
    user: root
    cap_add: [SYS_ADMIN]
    security_opt: [seccomp:unconfined, systempaths=unconfined]
    environment: [DB_PASSWORD=hunter2]
    volumes: [/var/run/docker.sock:/var/run/docker.sock, data:/data, /etc:/host:ro]
    ports: ['8080:80', '127.0.0.1:9090:90']
    devices: [/dev/kmsg]
volumes: {data: {}}
";
const INSPECT: &str = r#"[{"Id": "a", "Name": "/web", "Platform": "linux",
 "Config": {"Image": "nginx:latest", "User": "", "Env": ["DB_PASSWORD=hunter2"], "Cmd": ["sudo", "x"]},
 "HostConfig": {"Privileged": true, "NetworkMode": "host", "PidMode": "host", "CapAdd": ["SYS_ADMIN"],
  "SecurityOpt": ["seccomp=unconfined"], "ReadonlyRootfs": false, "Memory": 0, "NanoCpus": 0,
  "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}, "Devices": [{"PathOnHost": "/dev/kmsg"}]},
 "Mounts": [{"Type": "bind", "Source": "/var/run/docker.sock", "Destination": "/s", "RW": true},
  {"Type": "bind", "Source": "/etc", "Destination": "/e", "RW": false}]}]"#;
const OCI: &str = r#"{"ociVersion": "1.2.0", "hostname": "web", "root": {"path": "rootfs"},
 "process": {"user": {"uid": 0, "gid": 0}, "args": ["sudo", "x"], "env": ["DB_PASSWORD=hunter2"], "noNewPrivileges": false,
  "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_ADMIN"]}},
 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
  {"destination": "/s", "type": "bind", "source": "/var/run/docker.sock", "options": ["rbind", "rw"]},
  {"destination": "/e", "type": "bind", "source": "/etc", "options": ["rbind", "ro"]}],
 "linux": {"namespaces": [{"type": "mount"}], "devices": [{"path": "/dev/kmsg"}]}}"#;
const MARATHON: &str = r#"{"id": "/", "groups": [{"id": "/shop", "apps": [{"id": "/shop/web", "user": "root", "instances": 1,
 "env": {"DB_PASSWORD": "hunter2"}, "cmd": "sudo x",
 "container": {"type": "DOCKER", "docker": {"image": "nginx:latest", "network": "HOST", "privileged": true,
  "parameters": [{"key": "cap-add", "value": "SYS_ADMIN"}, {"key": "pid", "value": "host"}, {"key": "device", "value": "/dev/kmsg"},
   {"key": "security-opt", "value": "seccomp=unconfined"}, {"key": "volume", "value": "/var/run/docker.sock:/s"}]},
  "volumes": [{"hostPath": "/etc", "containerPath": "/e", "mode": "RO"}]}}]}]}"#;
const NOMAD: &str = r#"{"Job": {"ID": "shop", "TaskGroups": [{"Name": "web", "Tasks": [{"Name": "web", "Driver": "docker", "User": "root",
 "Env": {"DB_PASSWORD": "hunter2"},
 "Config": {"image": "nginx:latest", "privileged": true, "network_mode": "host", "pid_mode": "host", "cap_add": ["SYS_ADMIN"],
  "command": "sudo", "security_opt": ["seccomp=unconfined"], "volumes": ["/var/run/docker.sock:/s", "/etc:/e:ro"],
  "devices": [{"host_path": "/dev/kmsg"}]}}]}]}}"#;
const FABRIC: &str = "<?xml version=\"1.0\"?>
<ApplicationManifest xmlns=\"http://schemas.microsoft.com/2011/01/fabric\" ApplicationTypeName=\"shop\">
 <Parameters><Parameter Name=\"Pass\" DefaultValue=\"hunter2\" /></Parameters>
 <ServiceManifestImport>
  <ServiceManifestRef ServiceManifestName=\"web\" ServiceManifestVersion=\"1\" />
  <EnvironmentOverrides CodePackageRef=\"Code\">
   <EnvironmentVariable Name=\"DB_PASSWORD\" Value=\"[Pass]\" />
  </EnvironmentOverrides>
  <Policies>
   <ContainerHostPolicies CodePackageRef=\"Code\">
    <Volume Source=\"/var/run/docker.sock\" Destination=\"/s\" />
    <Volume Source=\"/etc\" Destination=\"/e\" IsReadOnly=\"true\" />
    <NetworkConfig NetworkType=\"Host\" />
    <SecurityOption Value=\"seccomp=unconfined\" />
   </ContainerHostPolicies>
  </Policies>
 </ServiceManifestImport>
</ApplicationManifest>
";

/// What is wrong in every language that has words for it.
const WRONG: &[&str] = &[
    "added-capabilities",
    "host-devices",
    "host-folder",
    "host-namespaces",
    "image-tag",
    "no-seccomp",
    "plain-secret",
    "privileged",
    "root-user",
    "runtime-socket",
];

#[test]
fn one_workload_in_every_language() {
    // A bundle names no image and has no word for privileged.
    let cases: &[(&str, &str, &[&str], &[&str])] = &[
        ("compose", COMPOSE, &[], &["published-everywhere", "unmasked-proc", "writable-root"]),
        ("docker", INSPECT, &[], &["published-everywhere", "sudo", "no-memory-limit", "writable-root"]),
        ("oci", OCI, &["image-tag", "privileged"], &["sudo", "escalation", "unmasked-proc", "writable-root"]),
        ("marathon", MARATHON, &[], &["sudo"]),
        ("nomad", NOMAD, &[], &["sudo"]),
        (
            "service-fabric",
            FABRIC,
            &["added-capabilities", "host-devices", "image-tag", "privileged"],
            &["no-memory-limit"],
        ),
    ];
    for (orchestrator, text, without, also) in cases {
        let read: Read = read(orchestrator, text.as_bytes()).unwrap();
        assert_eq!(read.workloads.len(), 1, "{orchestrator}");
        assert_eq!(read.workloads[0].source.orchestrator, *orchestrator);
        let all = findings(&read);
        let found: BTreeSet<&str> = all.iter().map(|finding| finding.id).collect();
        for id in WRONG.iter().filter(|id| !without.contains(id)).chain(*also) {
            assert!(found.contains(id), "{orchestrator}: {id} is missing in {found:?}");
        }
        assert!(all.iter().all(|finding| finding.line > 0), "{orchestrator}: {all:?}");
        // The folder that is mounted read only is not writable; the socket is.
        let writable: Vec<&str> =
            all.iter().filter(|one| one.id == "writable-host-folder").map(|one| one.found.as_str()).collect();
        assert_eq!(writable.len(), 1, "{orchestrator}: {writable:?}");
        assert!(writable[0].contains("docker.sock"), "{orchestrator}: {writable:?}");
    }
}

#[test]
fn variables_of_compose() {
    const CASES: &[(&str, &str)] = &[
        ("nginx:${TAG:-1.2}", "nginx:1.2"),
        ("nginx:${TAG-1.2}", "nginx:1.2"),
        ("${A:-${B:-nginx}}:1", "nginx:1"),
        ("nginx:$$1", "nginx:$1"),
        ("nginx:${TAG}", "?variable TAG is set where it is run"),
        ("nginx:$TAG", "?variable TAG is set where it is run"),
        ("nginx:${TAG:?wanted}", "?variable TAG is set where it is run"),
        ("nginx:${TAG", "?a variable that is not closed"),
    ];
    for (text, wanted) in CASES {
        let file = format!("services: {{web: {{image: \"{text}\"}}}}\n");
        let read = read("compose.yaml", file.as_bytes()).unwrap();
        let found = match &read.workloads[0].containers[0].image {
            Leaf::Set(image, _) => image.clone(),
            Leaf::Unknown(why, _) => format!("?{why}"),
            Leaf::Unset(_) => "nothing".to_owned(),
        };
        assert_eq!(found, *wanted, "{text}");
    }
}

/// What a service takes over counts as if it said so itself; what another file says is unknown.
#[test]
fn services_of_compose_extend_others() {
    let text = "\
services:
  base: {image: i:1, privileged: true, user: '1', cap_add: [SYS_ADMIN], environment: {A: 1}}
  web:
    extends: base
    user: '2'
    cap_add: [NET_ADMIN]
  job: {extends: {service: web}, privileged: false}
  far: {extends: {file: other.yaml, service: x}, user: '3'}
  near: {extends: far}
  a: {extends: b, image: i:2}
  b: {extends: a, privileged: true}
";
    let read = read("compose.yaml", text.as_bytes()).unwrap();
    let named = |name: &str| {
        let found = read.workloads.iter().find(|one| one.id.name == name).unwrap();
        (found.source.line, found.containers[0].clone())
    };
    let (line, web) = named("web");
    assert_eq!((line, web.image.known().unwrap().as_str(), web.env.len()), (4, "i:1", 1));
    assert_eq!((web.security.privileged.is_on(), web.security.privileged.place().line), (true, 2));
    assert_eq!(web.security.user.known().unwrap(), "2");
    assert_eq!(web.security.add.known().unwrap().len(), 2);
    let (_, job) = named("job");
    assert!(job.security.privileged.is_off());
    assert_eq!((job.security.user.known().unwrap().as_str(), job.image.place().line), ("2", 2));
    for (name, user) in [("far", "3"), ("near", "3")] {
        let (_, one) = named(name);
        assert_eq!(one.security.user.known().unwrap(), user, "{name}");
        assert!(one.image.unknown().is_some() && one.security.escalation.unknown().is_some(), "{name}");
        assert!(one.security.privileged.unknown().is_some(), "{name}");
    }
    assert!(named("a").1.security.privileged.is_on());
    assert!(read.gaps.iter().any(|gap| gap.line == 8), "{:?}", read.gaps);
}

#[test]
fn roundabout_ways_of_compose() {
    for (text, id) in [
        ("use_api_socket: true", "runtime-socket"),
        ("post_start: [{command: x, privileged: true}]", "privileged"),
        ("pre_stop: [{command: x}, {command: y, privileged: true}]", "privileged"),
    ] {
        let file = format!("services:\n  web:\n    image: i:1\n    {text}\n");
        let found = crate::findings(&read("compose.yaml", file.as_bytes()).unwrap());
        assert!(found.iter().any(|one| one.id == id && one.sure && one.line == 4), "{text}: {found:?}");
    }
}

/// A mount, its target, the path on the host or else the name of the volume, and whether it is read only.
type Bind = (&'static str, &'static str, Option<&'static str>, Option<&'static str>, bool);

#[test]
fn short_mounts_of_docker() {
    const MOUNTS: &[Bind] = &[
        ("/a:/b", "/b", Some("/a"), None, false),
        ("./a:/b:ro", "/b", Some("./a"), None, true),
        ("data:/b:rw,z", "/b", None, Some("data"), false),
        ("/b", "/b", None, None, false),
        (r"C:\\a:C:\\b:ro", r"C:\b", Some(r"C:\a"), None, true),
    ];
    for (text, target, host, volume, read_only) in MOUNTS {
        let file = format!("services: {{web: {{image: i, volumes: [\"{text}\"]}}}}\n");
        let read = read("compose.yaml", file.as_bytes()).unwrap();
        let mount = &read.workloads[0].containers[0].mounts[0];
        assert_eq!(mount.target.known().map(String::as_str), Some(*target), "{text}");
        assert_eq!(mount.host.known().map(String::as_str), *host, "{text}");
        assert_eq!(mount.volume.known().map(String::as_str), *volume, "{text}");
        assert_eq!(mount.read_only.is_on(), *read_only, "{text}");
    }
}

/// A port, in the container, on the host, and the address.
type Published = (&'static str, Option<i64>, Option<i64>, Option<&'static str>);

#[test]
fn short_ports_of_docker() {
    const PORTS: &[Published] = &[
        ("80", Some(80), Some(0), None),
        ("8080:80", Some(80), Some(8080), None),
        ("127.0.0.1:8080:80/udp", Some(80), Some(8080), Some("127.0.0.1")),
        ("[::1]:8080:80", Some(80), Some(8080), Some("::1")),
        ("3000-3005:3000-3005", Some(3000), Some(3000), None),
    ];
    for (text, container, host, address) in PORTS {
        let file = format!("services: {{web: {{image: i, ports: [\"{text}\"]}}}}\n");
        let read = read("compose.yaml", file.as_bytes()).unwrap();
        let port = &read.workloads[0].containers[0].ports[0];
        assert_eq!(port.container.known(), container.as_ref(), "{text}");
        assert_eq!(port.host.known(), host.as_ref(), "{text}");
        assert_eq!(port.address.known().map(String::as_str), *address, "{text}");
    }
}

/// Readers are told apart: no sample is recognised by two of them.
#[test]
fn one_reader_for_each() {
    let Some(root) = boltseal_testkit::shared("data") else { return };
    for folder in [
        "orchestrators/compose",
        "orchestrators/marathon",
        "orchestrators/service-fabric",
        "aci/arm",
        "aci/yaml",
    ] {
        for (name, bytes) in files(&root.join(folder)) {
            let Ok(documents) = boltseal_orchestrator::document::read(&bytes) else { continue };
            for document in documents {
                let at = boltseal_orchestrator::document::At::top(&document);
                let readers: Vec<&str> = read::ALL
                    .iter()
                    .filter(|reader| (reader.recognises)(&at))
                    .map(|reader| reader.name)
                    .collect();
                assert!(readers.len() < 2, "{name}: {readers:?}");
            }
        }
    }
    let xml = b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><a/>";
    assert!(read("x", xml).unwrap_err().to_string().contains("document type"));
    assert!(fs::metadata(root).is_ok());
}
