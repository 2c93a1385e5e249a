//! Probes by HTTPS, answered by a real server of TLS with a certificate that nobody signed.

use std::process::{Command, Stdio};

use boltseal_testkit::peer;

use crate::node::{Node, text};

const GROUP: &str = r"
type: Microsoft.ContainerInstance/containerGroups
name: probed-by-https
properties:
  osType: Linux
  containers:
  - name: one
    properties:
      image: alpine
      command: [sleep, '1000']
      readinessProbe:
        httpGet: {port: 8443, path: /, scheme: HTTPS, httpHeaders: [{name: X-Probe, value: ready}]}
        periodSeconds: 1
      resources: {requests: {cpu: 1, memoryInGB: 0.1}}
";

#[test]
fn a_container_is_ready_when_its_server_answers_by_tls() {
    let (Some(openssl), Some(node)) = (peer("openssl"), Node::new()) else { return };
    let done = node.run(GROUP, &["--allow-unverified"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let runs = node.until("probed-by-https", |group| group["containers"][0]["state"]["pid"].is_number());
    assert_eq!(runs["containers"][0]["ready"], false);
    let folder = node.data.path();
    let made = Command::new(&openssl)
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=elsewhere.example",
            "-days",
            "1",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    let network = format!("--net=/proc/{}/ns/net", runs["containers"][0]["state"]["pid"]);
    let mut server = Command::new("nsenter")
        .arg(network)
        .arg(openssl)
        .args([
            "s_server",
            "-quiet",
            "-www",
            "-accept",
            "127.0.0.1:8443",
            "-key",
            "key.pem",
            "-cert",
            "cert.pem",
        ])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    node.until("probed-by-https", |group| group["containers"][0]["ready"] == true);
    server.kill().unwrap();
    server.wait().unwrap();
    // Three failures in a row, by default.
    node.until("probed-by-https", |group| group["containers"][0]["ready"] == false);
}
