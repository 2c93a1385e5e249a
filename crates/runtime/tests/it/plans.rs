//! What a group file asks, and what is made of it.

use boltseal_model::Config;
use boltseal_runtime::{Host, Image, Plan, Wanted, host::Cgroups, plan};

fn host() -> Host {
    let controllers = ["cpu", "devices", "memory", "pids"].map(|name| (name.to_owned(), Cgroups::V1)).into();
    Host {
        kernel: (6, 1),
        controllers,
        landlock: 2,
        seccomp: true,
        user_namespaces: 1_000,
        overlay: true,
        memfd_noexec: false,
        device_programs: false,
    }
}

fn planned(text: &str, images: &[Image]) -> Plan {
    let read = boltseal_orchestrator::read("group.yaml", text.as_bytes()).unwrap();
    plan(&Wanted { workload: &read.workloads[0], images, host: &host(), range: 0 })
}

/// A group with one container that says `more`, and volumes.
fn group(more: &str, volumes: &str) -> String {
    format!(
        "type: Microsoft.ContainerInstance/containerGroups\nname: shop\nproperties:\n  osType: Linux\n  volumes: [{volumes}]\n  \
         containers:\n  - name: web\n    properties: {{image: web, command: [/web], {more}}}\n"
    )
}

#[test]
fn what_is_refused() {
    let emptied = "{name: v, emptyDir: {}}";
    for (more, volumes, path, why) in [
        ("securityContext: {privileged: true}", "", "securityContext.privileged", "root of the machine"),
        (
            "securityContext: {capabilities: {add: [SYS_ADMIN]}}",
            "",
            "capabilities.add[0]",
            "CAP_SYS_ADMIN is not given",
        ),
        (
            "securityContext: {capabilities: {add: [cap_bpf]}}",
            "",
            "capabilities.add[0]",
            "CAP_BPF is not given",
        ),
        ("securityContext: {seccompProfile: e30=}", "", "seccompProfile", "system calls are filtered by"),
        ("securityContext: {runAsUser: 70000}", "", "runAsUser", "no number below 65536"),
        ("resources: {requests: {cpu: 0}}", "", "requests.cpu", "no number above 0"),
        ("resources: {limits: {memoryInGB: nan}}", "", "limits.memoryInGB", "no number above 0"),
        ("volumeMounts: [{name: w, mountPath: /v}]", emptied, "volumeMounts[0].name", "no volume called w"),
        ("volumeMounts: [{name: v, mountPath: /proc/sys}]", emptied, "mountPath", "is the kernel's"),
        ("volumeMounts: [{name: v, mountPath: /a/../../etc}]", emptied, "mountPath", "goes up again"),
        ("volumeMounts: [{name: v, mountPath: /}]", emptied, "mountPath", "is its image"),
        ("volumeMounts: [{name: v, mountPath: v}]", emptied, "mountPath", "no absolute path"),
        (
            "volumeMounts: [{name: v, mountPath: /v}]",
            "{name: v, gitRepo: {repository: a}}",
            "volumes[0]",
            "as root",
        ),
        (
            "volumeMounts: [{name: v, mountPath: /v}]",
            "{name: v, azureFile: {shareName: a}}",
            "volumes[0]",
            "Azure Files",
        ),
        (
            "environmentVariables: [{name: A=B, value: c}]",
            "",
            "environmentVariables[0]",
            "no name of a variable",
        ),
    ] {
        let plan = planned(&group(more, volumes), &[]);
        let found: Vec<_> = plan.refusals.iter().map(|one| (one.path.as_str(), one.why.as_str())).collect();
        assert!(
            found.len() == 1 && found[0].0.contains(path) && found[0].1.contains(why),
            "{more}: {found:?}"
        );
    }
    assert_eq!(planned(&group("", emptied), &[]).refusals, []);
    let two = group("", "") + "  - name: web\n    properties: {image: web, command: [/web]}\n";
    assert!(planned(&two, &[]).refusals[0].why.contains("two containers are called web"));
    let pod =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: web}]}\n";
    assert!(planned(pod, &[]).refusals[0].why.contains("a Pod is run by its own orchestrator"));
    let windows = group("", "").replace("osType: Linux", "osType: Windows");
    assert!(planned(&windows, &[]).refusals[0].why.contains("a machine with Windows"));
}

#[test]
fn what_a_group_opens_is_told() {
    let context = "securityContext: {allowPrivilegeEscalation: false, capabilities: {add: [NET_BIND_SERVICE, CAP_CHOWN]}}";
    let plan = planned(&group(context, ""), &[]);
    let web = &plan.containers[0];
    assert_eq!(web.capabilities, ["CAP_CHOWN", "CAP_NET_BIND_SERVICE"]);
    assert!(web.no_new_privileges);
    let opened: Vec<_> = web.openings.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(opened, ["CAP_CHOWN", "CAP_NET_BIND_SERVICE"]);
    let opened = web.controls.iter().filter(|one| one.state.word() == "opened");
    assert_eq!(opened.map(|one| one.name).collect::<Vec<_>>(), ["capabilities"]);
}

#[test]
fn what_nothing_opens_is_refused() {
    for context in [
        "allowPrivilegeEscalation: true",
        "privileged: true",
        "capabilities: {add: [SYS_ADMIN]}",
        "capabilities: {add: [NET_RAW]}",
    ] {
        let plan = planned(&group(&format!("securityContext: {{{context}}}"), ""), &[]);
        assert_eq!(plan.refusals.len(), 1, "{context}: {:?}", plan.refusals);
        assert!(plan.refusals[0].line > 1, "{:?}", plan.refusals);
    }
}

#[test]
fn what_a_group_opens_of_its_network() {
    let with = |address: &str, tags: &str| {
        let text = group("", "").replace("  osType", &format!("  ipAddress: {{{address}}}\n  osType"));
        planned(&text.replace("properties:\n  ip", &format!("tags: {{{tags}}}\nproperties:\n  ip")), &[])
    };
    let openings = |plan: &Plan| plan.network.openings().into_iter().map(|one| one.what).collect::<Vec<_>>();
    let state = |plan: &Plan| {
        let control = plan.containers[0].controls.iter().find(|one| one.name == "network").unwrap();
        control.state.word()
    };
    let closed = with("type: Private", "team: shop, boltseal.egressive: 'tcp://10.0.0.5:1'");
    assert_eq!((openings(&closed), state(&closed)), (Vec::<String>::new(), "enforced"));
    let ports = "ports: [{port: 80}, {port: 53, protocol: udp}]";
    let private = with(&format!("type: Private, {ports}"), "");
    assert_eq!(openings(&private), ["80/tcp for groups that open it", "53/udp for groups that open it"]);
    let open =
        with(&format!("type: Public, {ports}"), "boltseal.egress: dns, Boltseal.Egress.db: 'tcp://db:1-9'");
    assert_eq!((open.refusals.as_slice(), state(&open)), (&[][..], "opened"));
    assert_eq!(
        openings(&open),
        [
            "80/tcp for everybody, by port 80 of the machine",
            "53/udp for everybody, by port 53 of the machine",
            "tcp://db:1-9",
            "names of the world are resolved",
        ]
    );
    assert_eq!(open.network.egress[0].line.line, 3);
    for (address, tags, path, why) in [
        ("type: Public, ports: [{port: 0}]", "", "ipAddress.ports[0].port", "0 is no port"),
        ("type: Public, ports: [{port: 80, protocol: SCTP}]", "", "protocol", "neither TCP nor UDP"),
        ("type: Public, ports: [{port: 80}, {port: 80, protocol: tcp}]", "", "ports[1]", "is there twice"),
        (
            "type: Private",
            "boltseal.egress: everything",
            "tags['boltseal.egress']",
            "`everything` opens nothing",
        ),
        ("type: Private", "boltseal.egress: 'tcp://db.example.com:1'", "egress", "addresses change"),
    ] {
        let found: Vec<_> = with(address, tags).refusals.into_iter().map(|one| (one.path, one.why)).collect();
        assert!(
            found.len() == 1 && found[0].0.contains(path) && found[0].1.contains(why),
            "{tags}: {found:?}"
        );
    }
}

#[test]
fn what_the_image_says_and_the_group_over_it() {
    let config = Config {
        user: "app".to_owned(),
        env: vec!["A=image".to_owned(), "B=image".to_owned()],
        entrypoint: vec!["/entry".to_owned()],
        command: vec!["serve".to_owned()],
        working_dir: "/srv".to_owned(),
        ..Config::default()
    };
    let image = Image { name: "web".to_owned(), digest: None, config, user: Some((1000, 1001)) };
    let more = "environmentVariables: [{name: B, value: said}, {name: C, secureValue: hush}]";
    let text = group(more, "").replace("command: [/web], ", "");
    let plan = planned(&text, std::slice::from_ref(&image));
    let web = &plan.containers[0];
    assert_eq!(web.command, ["/entry", "serve"]);
    assert_eq!((web.user, web.working_dir.as_str()), (Some((1000, 1001)), "/srv"));
    let env: Vec<_> = web.env.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!((env[0].as_str(), env[1].as_str(), env.len()), ("A=image", "B=said", 3));
    assert_eq!((&plan.gaps[..], &web.secrets[..]), (&[][..], &["C".to_owned()][..]));
    // Values may be secrets: neither what is printed nor what is logged has them.
    for shown in [serde_json::to_string(&plan).unwrap(), format!("{plan:?}")] {
        assert!(shown.contains("\"B\"") && !shown.contains("said") && !shown.contains("hush"), "{shown}");
    }
    let numbered = group("securityContext: {runAsUser: 7, runAsGroup: 8}", "");
    let web = &planned(&numbered, &[image]).containers[0];
    assert_eq!((web.command.as_slice(), web.user), (&["/web".to_owned()][..], Some((7, 8))));
    let unseen = planned(&group("", ""), &[]);
    assert_eq!(unseen.containers[0].user, None);
    assert!(unseen.gaps[0].contains("was not looked at"));
}

#[test]
fn what_a_machine_lacks_is_told() {
    let read = boltseal_orchestrator::read("group.yaml", group("", "").as_bytes()).unwrap();
    let states = |host: &Host| {
        let plan = plan(&Wanted { workload: &read.workloads[0], images: &[], host, range: 0 });
        let held = plan.containers[0].controls.iter().map(|one| (one.name, one.state.word()));
        held.filter(|(_, word)| *word != "enforced")
            .map(|(name, word)| format!("{name}: {word}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(states(&host()), ["Landlock: partial"]);
    let bare = states(&Host::default());
    assert_eq!(bare.len(), 8, "{bare:?}");
    let old = Host { kernel: (5, 10), ..host() };
    assert_eq!(states(&old), ["user namespace: partial", "Landlock: partial"]);
    // Control groups of version 2 have no controller for devices.
    let unified = ["cpu", "memory", "pids"].map(|name| (name.to_owned(), Cgroups::V2));
    let asks = Host { controllers: unified.into(), device_programs: true, ..host() };
    assert_eq!(states(&asks), ["Landlock: partial"]);
    let asks_nobody = Host { device_programs: false, ..asks.clone() };
    assert_eq!(states(&asks_nobody), ["Landlock: partial", "devices: partial"]);
    // Where some are of version 1, containers are not in a group of version 2 alone.
    let mixed = unified_and_memory(&asks);
    assert_eq!(states(&mixed), ["Landlock: partial", "devices: partial"]);
}

fn unified_and_memory(host: &Host) -> Host {
    let mut mixed = host.clone();
    mixed.controllers.insert("memory".to_owned(), Cgroups::V1);
    mixed
}

#[test]
fn groups_of_microsoft_have_plans() {
    let Some(folder) = boltseal_testkit::shared("data/aci/yaml") else { return };
    for (file, containers, refused) in [
        ("multi-container-public.yaml", 2, false),
        ("bot-secure-env.yaml", 1, false),
        ("certbot-azurefile.yaml", 2, true),
    ] {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let read = boltseal_orchestrator::read(file, &bytes).unwrap();
        let plan = plan(&Wanted { workload: &read.workloads[0], images: &[], host: &host(), range: 0 });
        assert_eq!(
            (plan.containers.len(), plan.is_refused()),
            (containers, refused),
            "{file}: {:?}",
            plan.refusals
        );
    }
}
