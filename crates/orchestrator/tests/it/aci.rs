//! Container groups: real templates, `az` YAML and REST bodies, and the baseline as Microsoft publishes it.

use std::{collections::BTreeSet, fs};

use boltseal_orchestrator::{
    checks::aci::baseline::{self, ROWS, Standing},
    leaf::Leaf,
    read::{Read, read},
};

use crate::{checked, files, findings};

fn shared() -> Option<std::path::PathBuf> {
    boltseal_testkit::shared("data/aci")
}

fn open(path: &str) -> Option<Read> {
    let path = shared()?.join(path);
    Some(read(path.to_str().unwrap(), &fs::read(&path).unwrap()).unwrap())
}

/// Every sample is read, and every container of it has an image that is known or a reason why it is not.
#[test]
fn every_sample_is_read() {
    let Some(root) = shared() else { return };
    let (mut groups, mut images, mut unknown) = (0, 0, 0);
    for folder in ["arm", "confidential", "rest", "yaml"] {
        for (name, bytes) in files(&root.join(folder)) {
            if name.starts_with("LICENSE") || name.starts_with("README") {
                continue;
            }
            let read = read(&name, &bytes).unwrap();
            assert!(read.gaps.is_empty(), "{name}: {:?}", read.gaps);
            if name.ends_with(".parameters.json") {
                assert!(read.workloads.is_empty(), "{name}");
                continue;
            }
            // One sample makes the network for groups only.
            assert_eq!(read.workloads.is_empty(), name == "101-cloud-shell-vnet.json", "{name}");
            for workload in &read.workloads {
                groups += 1;
                assert!(!workload.containers.is_empty(), "{name}");
                for container in &workload.containers {
                    match &container.image {
                        Leaf::Set(image, place) => {
                            assert!(!image.contains('['), "{name}: {image}");
                            assert!(place.line > 1, "{name}");
                            images += 1;
                        }
                        Leaf::Unknown(why, _) => {
                            assert!(why.contains("has no default"), "{name}: {why}");
                            unknown += 1;
                        }
                        Leaf::Unset(_) => panic!("{name}: no image"),
                    }
                }
            }
        }
    }
    println!("{groups} groups, {images} images known, {unknown} not");
    assert!(groups >= 18 && images > unknown, "{groups} groups, {images} images known, {unknown} not");
}

/// Which checks fire on which sample.
#[test]
fn what_the_samples_do_wrong() {
    const CASES: &[(&str, &[&str], &[&str])] = &[
        (
            "rest/create-secret-reference.json",
            &[
                "aci-name-reuse",
                "aci-secret-volume",
                "aci-workspace-key",
                "aci-registry-identity",
                "aci-no-own-key",
            ],
            &[
                "aci-public-address",
                "aci-storage-key",
                "aci-registry-password",
                "aci-no-logs",
                "plain-secret",
            ],
        ),
        ("rest/create-confidential.json", &["cce-allow-all"], &["cce-missing"]),
        (
            "confidential/fragment-deployment.arm.json",
            &["cce-missing"],
            &["aci-registry-identity", "aci-no-identity"],
        ),
        (
            "confidential/sum-template.json",
            &["cce-elevated", "cce-access", "cce-fragment"],
            &["cce-allow-all", "cce-missing"],
        ),
        (
            "yaml/certbot-azurefile.yaml",
            &["aci-storage-key", "aci-public-address", "aci-writable-share", "aci-name-reuse", "image-tag"],
            &["plain-secret"],
        ),
        ("yaml/bot-secure-env.yaml", &["aci-public-address", "aci-no-logs"], &["plain-secret"]),
        ("arm/201-aci-linuxcontainer-volume-gitrepo.json", &["aci-git-volume"], &["aci-git-credentials"]),
        ("arm/201-aci-sftp-files.json", &["aci-admin-port"], &["aci-storage-key"]),
        ("arm/201-aci-wordpress.json", &["plain-secret", "aci-public-address"], &["aci-storage-key"]),
        ("arm/101-aci-vnet.json", &["aci-network-profile"], &["aci-public-address", "aci-no-subnet"]),
    ];
    for (path, wanted, unwanted) in CASES {
        let Some(read) = open(path) else { return };
        let found: BTreeSet<&str> = findings(&read).iter().map(|finding| finding.id).collect();
        for id in *wanted {
            assert!(found.contains(id), "{path}: {id} is missing in {found:?}");
        }
        for id in *unwanted {
            assert!(!found.contains(id), "{path}: {id} in {found:?}");
        }
    }
}

/// The rows are those of Microsoft's file, one by one.
#[test]
fn rows_of_the_baseline() {
    let Some(file) = boltseal_testkit::shared("data/baselines/aci-mcsb-v1.json") else { return };
    let data: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().trim().to_owned();
    let theirs: Vec<(String, String)> = data["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (text(row, "ASB Control ID"), text(row, "Feature Name")))
        .collect();
    let ours: Vec<(String, String)> =
        ROWS.iter().map(|row| (row.control.to_owned(), row.feature.to_owned())).collect();
    assert_eq!(ours, theirs);
}

#[test]
fn standings() {
    let Some(read) = open("rest/create-secret-reference.json") else { return };
    let outcomes = baseline::judge(&read);
    assert_eq!(outcomes.len(), 35);
    let of = |feature: &str| outcomes.iter().find(|one| one.feature == feature).unwrap().standing;
    assert_eq!(of("Virtual Network Integration"), Standing::Pass);
    assert_eq!(of("Azure Resource Logs"), Standing::Pass);
    assert_eq!(of("Data at Rest Encryption Using CMK"), Standing::Fail);
    assert_eq!(of("Data at Rest Encryption Using Platform Keys"), Standing::Inherited);
    assert_eq!(of("Azure Backup"), Standing::NotSupported);
    assert_eq!(of("EDR Solution"), Standing::NotApplicable);
    assert_eq!(of("Network Security Group Support"), Standing::Manual);
}

/// The definition with one property of its group or of its container.
fn group(properties: &str, container: &str) -> String {
    format!(
        "type: Microsoft.ContainerInstance/containerGroups\nname: g\nidentity: {{type: SystemAssigned}}\nproperties:\n  osType: Linux\n  subnetIds: [{{id: s}}]\n  {properties}\n  containers:\n  - name: c\n    properties: {{image: 'r.example.com/a:1', {container}}}\n",
    )
}

/// Each check fires on one change to a group and is silent without it.
#[test]
fn every_check_fires_alone() {
    const CASES: &[(&str, &str, &str)] = &[
        ("restartPolicy: Never", "securityContext: {privileged: true}", "privileged"),
        ("restartPolicy: Never", "securityContext: {capabilities: {add: [SYS_ADMIN]}}", "added-capabilities"),
        (
            "restartPolicy: Never",
            "environmentVariables: [{name: DB_PASSWORD, value: hunter2}]",
            "plain-secret",
        ),
        (
            "restartPolicy: Never",
            "environmentVariables: [{name: A, value: b}, {name: A, value: c}]",
            "duplicate-variable",
        ),
        ("imageRegistryCredentials: [{server: s, username: u, password: p}]", "", "aci-registry-password"),
        (
            "imageRegistryCredentials: [{server: s, username: u, passwordReference: p}]",
            "",
            "aci-registry-identity",
        ),
        (
            "volumes: [{name: v, gitRepo: {repository: 'https://u:p@example.com/r'}}]",
            "",
            "aci-git-credentials",
        ),
        (
            "volumes: [{name: v, gitRepo: {repository: 'https://example.com/r', revision: main}}]",
            "",
            "aci-git-volume",
        ),
        ("volumes: [{name: v, azureFile: {shareName: s, storageAccountKey: k}}]", "", "aci-storage-key"),
        (
            "volumes: [{name: v, azureFile: {shareName: s}}]",
            "volumeMounts: [{name: v, mountPath: /m}]",
            "aci-writable-share",
        ),
        ("volumes: [{name: v, secret: {a: Zm9v}}]", "", "aci-secret-volume"),
        ("diagnostics: {logAnalytics: {workspaceId: w, workspaceKey: k}}", "", "aci-workspace-key"),
        ("encryptionProperties: {keyName: k, keyVersion: v}", "", "aci-key-rotation"),
        ("ipAddress: {type: Public, ports: [{port: 22}]}", "", "aci-admin-port"),
        ("ipAddress: {type: Public, dnsNameLabel: d, ports: []}", "", "aci-name-reuse"),
        ("networkProfile: {id: p}", "", "aci-network-profile"),
        ("sku: Confidential", "", "cce-missing"),
    ];
    let quiet: BTreeSet<&str> =
        checked("g.yaml", &group("restartPolicy: Never", "")).iter().map(|one| one.id).collect();
    for (properties, container, id) in CASES {
        assert!(!quiet.contains(id), "{id} fires on the plain group");
        let found = checked("g.yaml", &group(properties, container));
        let hit = found.iter().find(|one| one.id == *id);
        assert!(hit.is_some_and(|one| one.sure && one.line > 3), "{id}: {found:?}");
    }
}

/// What expressions come to; `?` stands for unknown.
#[test]
fn expressions() {
    const CASES: &[(&str, &str)] = &[
        ("[parameters('image')]", "r.example.com/app:1.2"),
        ("[PARAMETERS('IMAGE')]", "r.example.com/app:1.2"),
        ("[concat(parameters('image'), '-', 3)]", "r.example.com/app:1.2-3"),
        ("[format('{0}/{1}:{{x}}', 'a', variables('b'))]", "a/r.example.com:{x}"),
        ("[base64('app')]", "YXBw"),
        ("[base64ToString('YXBw')]", "app"),
        ("[toLower('APP')]", "app"),
        ("[if(equals('a', 'b'), parameters('no'), 'yes')]", "yes"),
        ("[variables('map').list[1].name]", "two"),
        ("[split('a/b/c', '/')[2]]", "c"),
        ("[replace('a-b', '-', '/')]", "a/b"),
        ("[substring('abcdef', 1, 2)]", "bc"),
        ("[coalesce(null(), 'x')]", "x"),
        ("[concat('it''s')]", "it's"),
        ("[[not an expression]", "[not an expression]"),
        ("plain", "plain"),
        ("[parameters('no')]", "?parameter `no` has no default"),
        ("[variables('circle')]", "?variable `circle` stands for itself"),
        ("[reference('x').y]", "?`reference()` is known when it is deployed"),
        ("[resourceGroup().location]", "?`resourcegroup()` is known when it is deployed"),
        ("[concat('a', ]", "?an expression without anything in it"),
        ("[concat('a'", "[concat('a'"),
        ("[variables('doubling')]", "?the expressions of the template come to more than 33554432 bytes"),
    ];
    let mut variables = String::from(
        "\"b\": \"r.example.com\", \"circle\": \"[variables('circle')]\", \"map\": {\"list\": [1, {\"name\": \"two\"}]}, \"d0\": \"0123456789abcdef\"",
    );
    for n in 1..=12 {
        let p = format!("variables('d{}')", n - 1);
        let eight = [p.as_str(); 8].join(", ");
        variables.extend([", \"d", &n.to_string(), "\": \"[concat(", &eight, ")]\""]);
    }
    variables.push_str(", \"doubling\": \"[variables('d12')]\"");
    for (expression, wanted) in CASES {
        let text = format!(
            "{{\"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\", // comment\n \"parameters\": {{\"image\": {{\"type\": \"string\", \"defaultValue\": \"r.example.com/app:1.2\"}}, \"no\": {{\"type\": \"string\"}}}},\n \"variables\": {{{variables}}},\n \"resources\": [{{\"type\": \"Microsoft.ContainerInstance/containerGroups\", \"properties\": {{\"containers\": [{{\"name\": \"c\",\n \"properties\": {{\"image\": \"{expression}\"}}}}]}}}}]}}",
        );
        let read = read("t.json", text.as_bytes()).unwrap();
        let image = &read.workloads[0].containers[0].image;
        let found = match image {
            Leaf::Set(text, place) => {
                assert_eq!(
                    (place.line, place.path.as_str()),
                    (5, "resources[0].properties.containers[0].properties.image")
                );
                text.clone()
            }
            Leaf::Unknown(why, _) => format!("?{why}"),
            Leaf::Unset(_) => "nothing".to_owned(),
        };
        let cut = wanted.len().min(found.len());
        assert!(
            found == *wanted || wanted.len() > 40 && found[..cut] == wanted[..cut],
            "{expression}: {found}"
        );
    }
}

/// A deployment within a deployment gets its values from outside.
#[test]
fn templates_within_templates() {
    let text = r#"{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
      "languageVersion": "2.0", "variables": {"tag": "7"}, "resources": {"inner": {"type": "Microsoft.Resources/deployments",
      "properties": {"parameters": {"image": {"value": "[concat('r.example.com/a:', variables('tag'))]"}},
      "template": {"parameters": {"image": {"type": "string"}}, "resources": [{"type": "Microsoft.ContainerInstance/containerGroups",
      "name": "g", "properties": {"containers": [{"name": "c", "properties": {"image": "[parameters('image')]"}}]}}]}}}}}"#;
    let read = read("t.json", text.as_bytes()).unwrap();
    assert_eq!(read.workloads[0].containers[0].image.known().unwrap(), "r.example.com/a:7");
}

/// What a group is, in a template of every scope and with names in any case; `GROUP` is what has containers.
fn template(scope: &str, properties: &str) -> String {
    format!(
        "{{\"$schema\": \"https://schema.management.azure.com/schemas/2019-04-01/{scope}.json#\", \"parameters\": {{\"p\": {{\"type\": \"object\"}}}},\n\
         \"Resources\": [{{\"Type\": \"microsoft.containerinstance/CONTAINERGROUPS\", \"name\": \"g\", \"properties\":\n {properties}}}]}}"
    )
}

#[test]
fn templates_of_every_scope() {
    let properties = r#"{"containers": [{"name": "c", "properties": {"image": "i:1"}}]}"#;
    for scope in [
        "deploymentTemplate",
        "subscriptionDeploymentTemplate",
        "managementGroupDeploymentTemplate",
        "tenantDeploymentTemplate",
    ] {
        let read = read("t.json", template(scope, properties).as_bytes()).unwrap();
        assert_eq!(read.workloads[0].containers[0].image.known().unwrap(), "i:1", "{scope}");
    }
}

/// A list of which nobody can tell what is in it is never an empty one, and what a loop makes is looked at.
#[test]
fn lists_that_cannot_be_told() {
    for (properties, places) in [
        (r#"{"containers": "[parameters('p').c]"}"#, &["containers"][..]),
        (r#""[parameters('p')]""#, &["properties"]),
        (
            r#"{"initContainers": "[parameters('p').i]", "volumes": "[parameters('p').v]", "imageRegistryCredentials": "[parameters('p').r]",
               "ipAddress": {"ports": "[parameters('p').o]"}, "containers": [{"name": "c", "properties": {"image": "i:1",
               "environmentVariables": "[parameters('p').e]", "ports": "[parameters('p').o]", "volumeMounts": "[parameters('p').m]"}}]}"#,
            &[
                "initContainers",
                "volumes",
                "imageRegistryCredentials",
                "ipAddress.ports",
                "containers[0].properties.environmentVariables",
                "containers[0].properties.ports",
                "containers[0].properties.volumeMounts",
            ],
        ),
        (
            r#"{"containers": [{"name": "c", "properties": "[parameters('p')]"}]}"#,
            &["containers[0].properties"],
        ),
        (r#"{"containers": [{"name": "c", "properties": {"image": "i:1"}}]}"#, &[]),
    ] {
        let read = read("t.json", template("deploymentTemplate", properties).as_bytes()).unwrap();
        let told: Vec<&str> = read.gaps.iter().map(|gap| gap.why.as_str()).collect();
        assert_eq!(told.len(), places.len(), "{properties}: {told:?}");
        for (place, why) in places.iter().zip(told) {
            let start = why.split(": ").next().unwrap();
            assert!(start.ends_with(place), "{place}: {why}");
            assert!(why.contains("parameter `p` has no default"), "{why}");
        }
    }
    let looped = r#"{"copy": [{"name": "containers", "count": 3, "input": {"name": "[concat('c', copyIndex('containers'))]",
        "properties": {"image": "i:1", "securityContext": {"privileged": true}}}}]}"#;
    let read = read("t.json", template("deploymentTemplate", looped).as_bytes()).unwrap();
    assert!(read.gaps.is_empty(), "{:?}", read.gaps);
    let found = findings(&read);
    assert!(found.iter().any(|one| one.id == "privileged" && one.sure), "{found:?}");
}
