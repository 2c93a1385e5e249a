//! Layers of groups that are gone: removed after a while, or when an image needs their room; those of others stay.

// Control groups are the machine's: groups of tests that run at the same moment need names of their own.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use boltseal_testkit::image::{Compression, Image, Layer};

use crate::{
    full_disk,
    node::{Node, text},
};

/// The layers that a node has.
fn layers(node: &Node) -> BTreeSet<String> {
    let folder = node.data.path().join("agent/layers/sha256");
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// An image with one layer of about as many MiB, whose command cannot be started.
fn image(folder: &Path, name: &str, mib: u32) -> String {
    let content: Vec<u8> = (0..mib << 18).flat_map(u32::to_le_bytes).collect();
    let layer = Layer::new().file(name, content);
    let at = folder.join(name);
    fs::create_dir(&at).unwrap();
    Image::new().layer_as(layer, Compression::Zstd).build().write_oci(&at, None);
    format!("oci:{}", at.display())
}

fn run(node: &Node, name: &str, image: &str) {
    node.ok(&["run", "-d", "--allow-unverified", "--name", name, image, "--", "sleep", "100000"]);
}

#[test]
fn they_go_after_a_while() {
    let Some(mut node) = Node::with(&["--keep-layers", "1s"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let alpine = node.image.clone();
    run(&node, "lasts", &alpine);
    let of_alpine = layers(&node);
    run(&node, "unused", &image(folder.path(), "unused", 1));
    run(&node, "paused", &image(folder.path(), "paused", 1));
    node.ok(&["stop", "--grace", "0", "paused"]);
    let all = layers(&node);
    assert_eq!(all.len(), of_alpine.len() + 2);
    node.ok(&["rm", "--force", "unused"]);
    let gone = |node: &Node, left: usize| {
        for _ in 0..600 {
            if layers(node).len() == left {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{:?}\n{}", layers(node), node.log());
    };
    gone(&node, all.len() - 1);
    // The next agent knows what runs, what is stopped, and nothing of what was removed.
    node.kill();
    node.begin();
    node.ok(&["rm", "paused"]);
    gone(&node, of_alpine.len());
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(layers(&node), of_alpine);
    let shown = node.ok(&["inspect", "lasts"]) + &node.ok(&["events"]);
    let read = node.command(&["exec", "lasts", "--", "cat", "/etc/alpine-release"]);
    assert_eq!(text(&read.stdout), "3.11.5\n", "{}\n{shown}", text(&read.stderr));
    node.ok(&["rm", "--force", "lasts"]);
}

#[test]
fn they_go_when_an_image_needs_the_room() {
    let Some(disk) = full_disk::disk() else { return };
    let Some(node) = Node::on(disk.path()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let alpine = node.image.clone();
    run(&node, "remains", &alpine);
    let of_alpine = layers(&node);
    run(&node, "fills", &image(folder.path(), "fills", 24));
    let second = image(folder.path(), "follows", 25);
    let refused = node.command(&["run", "-d", "--allow-unverified", "--name", "follows", &second]);
    full_disk::is_full(&refused, "an image that needs the room of another that is used");
    assert_eq!(layers(&node).len(), of_alpine.len() + 1, "what was used before is there");
    node.ok(&["rm", "--force", "fills"]);
    assert_eq!(layers(&node).len(), of_alpine.len() + 1, "it is kept for the next group");
    run(&node, "follows", &second);
    assert_eq!(layers(&node).len(), of_alpine.len() + 1, "{}", node.log());
    assert!(layers(&node).is_superset(&of_alpine));
    for name in ["remains", "follows"] {
        node.ok(&["rm", "--force", name]);
    }
}
