//! The Pod Security Standards against Kubernetes' own fixtures: each fail pod breaks one thing.

use std::{collections::BTreeSet, fs, path::Path};

use boltseal_orchestrator::{
    pss::{self, Level, Version},
    read,
};

/// Files of pods, each in a folder `level/version/pass|fail`.
fn fixtures(root: &Path) -> Vec<(Level, Version, bool, String, Vec<u8>)> {
    let mut all = Vec::new();
    for level in [Level::Baseline, Level::Restricted] {
        let folder = root.join(level.word());
        for version in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap()) {
            let known: Version = version.file_name().to_str().unwrap().parse().unwrap();
            for passes in [true, false] {
                let folder = version.path().join(if passes { "pass" } else { "fail" });
                for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
                    let name = file.file_name().into_string().unwrap();
                    all.push((level, known, passes, name, fs::read(file.path()).unwrap()));
                }
            }
        }
    }
    all
}

/// The controls that a fixture breaks at `level` in `version`: the one it is about, and what cannot be had without it.
fn wanted(name: &str, level: Level, version: Version) -> BTreeSet<String> {
    let stem = name.trim_end_matches(".yaml").trim_end_matches(|sign: char| sign.is_ascii_digit());
    let restricted = |since: u16| level == Level::Restricted && version >= Version::minor(since);
    let control = match stem {
        "capabilities_baseline" if restricted(22) => "capabilities_restricted",
        "seccompprofile_baseline" if restricted(19) => "seccompprofile_restricted",
        "procmount" if restricted(35) => "procmount_restricted",
        other => other,
    };
    let also = match name {
        // The API server refuses a privileged container that may not gain privileges.
        "privileged0.yaml" | "privileged1.yaml" if restricted(8) => Some("allowprivilegeescalation"),
        // It has no security context at all.
        "allowprivilegeescalation3.yaml" if restricted(22) => Some("capabilities_restricted"),
        _ => None,
    };
    also.into_iter().chain([control]).map(ToOwned::to_owned).collect()
}

#[test]
fn fixtures_of_kubernetes() {
    let Some(root) = boltseal_testkit::shared("data/pss/testdata") else { return };
    let all = fixtures(&root);
    assert!(all.len() > 2_800, "{} fixtures", all.len());
    let mut wrong = Vec::new();
    for (level, version, passes, name, bytes) in &all {
        let read = read(name, bytes).unwrap();
        let broken = pss::judge(&read.workloads[0], *level, *version);
        let fired: BTreeSet<String> = broken.iter().map(|(control, _)| control.id.to_lowercase()).collect();
        let expected: BTreeSet<String> =
            if *passes { BTreeSet::new() } else { wanted(name, *level, *version) };
        if fired != expected || broken.iter().any(|(_, hit)| !hit.sure || hit.place.line == 0) {
            wrong.push(format!("{level} {version} {name}: {fired:?}, wanted {expected:?}"));
        }
    }
    println!("{} of {} right", all.len() - wrong.len(), all.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What no fixture here covers: a change to a pod that passes everything, and the control it breaks.
#[test]
fn every_other_control() {
    const CASES: &[(&str, &str, &str, Option<&str>)] = &[
        ("v1.37", "hostNetwork: true", "", Some("hostNamespaces")),
        ("v1.0", "hostPID: true", "", Some("hostNamespaces")),
        ("v1.37", "hostIPC: yes", "", Some("hostNamespaces")),
        ("v1.37", "volumes: [{name: h, hostPath: {path: /}}]", "", Some("hostPathVolumes")),
        ("v1.37", "volumes: [{hostPath: {path: /}, name: h}]", "", Some("hostPathVolumes")),
        (
            "v1.34",
            "",
            "livenessProbe: {httpGet: {host: 10.0.0.1, port: 80}}",
            Some("hostProbesAndHostLifecycle"),
        ),
        (
            "v1.34",
            "",
            "lifecycle: {preStop: {tcpSocket: {host: h, port: 80}}}",
            Some("hostProbesAndHostLifecycle"),
        ),
        ("v1.33", "", "livenessProbe: {httpGet: {host: 10.0.0.1, port: 80}}", None),
        ("v1.37", "", "livenessProbe: {httpGet: {port: 80}}", None),
        ("v1.37", "", "securityContext: {windowsOptions: {hostProcess: true}}", Some("windowsHostProcess")),
        ("v1.37", "securityContext: {seLinuxOptions: {type: spc_t}}", "", Some("seLinuxOptions")),
        ("v1.37", "securityContext: {seLinuxOptions: {role: r}}", "", Some("seLinuxOptions")),
        (
            "v1.30",
            "securityContext: {seLinuxOptions: {type: container_engine_t}}",
            "",
            Some("seLinuxOptions"),
        ),
        ("v1.31", "securityContext: {seLinuxOptions: {type: container_engine_t}}", "", None),
        ("v1.37", "", "securityContext: {appArmorProfile: {type: Unconfined}}", Some("appArmorProfile")),
        ("v1.37", "", "securityContext: {appArmorProfile: {}}", Some("appArmorProfile")),
        ("v1.37", "", "securityContext: {appArmorProfile: {type: Localhost}}", None),
        (
            "v1.36",
            "securityContext: {sysctls: [{name: net.ipv4.tcp_notsent_lowat, value: '1'}]}",
            "",
            Some("sysctls"),
        ),
        ("v1.37", "securityContext: {sysctls: [{name: net.ipv4.tcp_notsent_lowat, value: '1'}]}", "", None),
        (
            "v1.37",
            "ephemeralContainers: [{name: e, image: i, securityContext: {privileged: true}}]",
            "",
            Some("privileged"),
        ),
    ];
    for (version, spec, container, control) in CASES {
        let container = if container.is_empty() { "image: i" } else { container };
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  {}\n  containers:\n  - name: c\n    {container}\n",
            if spec.is_empty() { "restartPolicy: Never" } else { spec },
        );
        let read = read("pod.yaml", text.as_bytes()).unwrap();
        let broken = pss::judge(&read.workloads[0], Level::Baseline, version.parse().unwrap());
        let fired: BTreeSet<&str> = broken.iter().map(|(control, _)| control.id).collect();
        assert_eq!(fired, control.iter().copied().collect(), "{version}\n{text}");
    }
}

#[test]
fn what_cannot_be_told_is_no_pass() {
    let text = b"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  hostPID: [1]\n  containers: [{name: c, image: i}]\n";
    let read = read("pod.yaml", text).unwrap();
    let broken = pss::judge(&read.workloads[0], Level::Baseline, Version::LATEST);
    assert_eq!(broken.len(), 1);
    assert_eq!((broken[0].0.id, broken[0].1.sure, broken[0].1.place.line), ("hostNamespaces", false, 5));
}

#[test]
fn versions() {
    for (text, version) in
        [("v1.31", Some(31)), ("1.9", Some(9)), ("latest", Some(37)), ("v2.0", None), ("1.+3", None)]
    {
        assert_eq!(text.parse().ok(), version.map(Version::minor), "{text}");
    }
}
