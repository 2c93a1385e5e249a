//! buildah: what it builds, in both formats.

use boltseal_testkit::peer;

use super::{DOCKER_MANIFEST, Served, is_one_clear_sentence};
use crate::world::OCI_MANIFEST;

#[tokio::test(flavor = "multi_thread")]
async fn buildah_pushes_what_it_built_in_both_formats() {
    let Some(buildah) = peer("buildah") else { return };
    let served = Served::new().await;
    let storage = tempfile::tempdir().unwrap();
    let folder = |name: &str| storage.path().join(name).display().to_string();
    let (root, run, file) = (folder("root"), folder("run"), folder("hello.txt"));
    std::fs::write(&file, "hello\n").unwrap();
    let own = ["--root", &root, "--runroot", &run, "--storage-driver", "vfs"];
    let buildah = async |arguments: &[&str]| {
        let said = served.must(&buildah, &[&own[..], arguments].concat()).await;
        said.lines().last().unwrap_or_default().to_owned()
    };
    let secret = served.world.people.secret("admin");
    buildah(&["login", "--tls-verify=false", "-u", "admin", "-p", secret, &served.address]).await;

    let container = buildah(&["from", "scratch"]).await;
    buildah(&["copy", "--quiet", &container, &file, "/hello.txt"]).await;
    buildah(&["commit", "--quiet", &container, "built"]).await;
    for (format, media_type) in [("docker", DOCKER_MANIFEST), ("oci", OCI_MANIFEST)] {
        let remote = format!("docker://{}/team/built:{format}", served.address);
        buildah(&["push", "--quiet", "--tls-verify=false", "--format", format, "built", &remote]).await;
        let reply = served.world.get(&format!("/v2/team/built/manifests/{format}")).await;
        assert_eq!(reply.header("content-type"), media_type, "{}", reply.text());
        assert_eq!(reply.json()["mediaType"], media_type);

        let name = format!("{}/team/built@{}", served.address, reply.header("docker-content-digest"));
        buildah(&["pull", "--quiet", "--tls-verify=false", &name]).await;
        let base = buildah(&["from", "--pull-never", &name]).await;
        let mounted = buildah(&["mount", &base]).await;
        let hello = std::fs::read_to_string(std::path::Path::new(&mounted).join("hello.txt"));
        assert_eq!(hello.unwrap(), "hello\n", "{format}");
        buildah(&["umount", &base]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn buildah_says_why_a_base_image_is_held() {
    let Some(buildah) = peer("buildah") else { return };
    let served = Served::new().await;
    served.sign_in(&buildah).await;
    served.world.push_image("team/held", "v1", "deny", b"\x1f\x8b layer").await;
    let storage = tempfile::tempdir().unwrap();
    let (root, run) = (storage.path().join("root"), storage.path().join("run"));
    let held = format!("{}/team/held:v1", served.address);
    let (root, run) = (root.to_str().unwrap(), run.to_str().unwrap());
    let own = ["--root", root, "--runroot", run, "--storage-driver", "vfs"];
    let from = ["from", "--quiet", "--tls-verify=false", &held];
    is_one_clear_sentence(&served.must_fail(&buildah, &[&own[..], &from].concat()).await);
}
