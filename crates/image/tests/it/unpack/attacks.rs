//! Archives that try to get out, or to make something that would do harm later.

use std::{fmt::Write as _, fs};

use boltseal_testkit::image::{Entry, Layer};

use super::{Place, names};

/// Each tries to reach a file beside the store, or to make something that would do harm later.
#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn archives_cannot_get_out() {
    let Some(place) = Place::new() else { return };
    let outside = place.outside().display().to_string();
    let inside = outside.trim_start_matches('/').to_owned();
    let up = "../".repeat(40);
    let new = Layer::new;
    let deep = |file: &str| {
        let mut lines = String::new();
        let mut path = String::new();
        for part in inside.split('/') {
            path = if path.is_empty() { part.to_owned() } else { format!("{path}/{part}") };
            writeln!(lines, "{path} folder").unwrap();
        }
        format!("{lines}{inside}/{file} = x\n")
    };
    let table = [
        ("an absolute name", new().file(&format!("{outside}/a"), "x"), deep("a")),
        ("a name that goes up", new().file(&format!("{up}{inside}/a"), "x"), deep("a")),
        ("a name that goes up in its middle", new().file(&format!("b/{up}{inside}/a"), "x"), deep("a")),
        (
            "a file through a link to a folder outside",
            new().symlink("link", &outside).file("link/a", "x"),
            format!("link -> {outside}\n{}", deep("a")),
        ),
        (
            "a file through a link that goes up",
            new().symlink("link", &format!("{up}{inside}")).file("link/a", "x"),
            format!("link -> {up}{inside}\n{}", deep("a")),
        ),
        (
            "a file through a link through a link",
            new().symlink("one", "/").symlink("two", &format!("one{outside}")).file("two/a", "x"),
            format!("one -> /\n{}two -> one{outside}\n", deep("a")),
        ),
        (
            "a file over a link to a file outside",
            new().symlink("a", &format!("{outside}/canary")).file("a", "x"),
            "a = x\n".into(),
        ),
        (
            "a folder over a link, and a file in it",
            new().symlink("a", &outside).dir("a").file("a/canary", "x"),
            "a folder hides\na/canary = x\n".into(),
        ),
        (
            "a link over a folder, and a file through it",
            new().dir("a").file("a/b", "y").symlink("a", &outside).file("a/canary", "x"),
            format!("a -> {outside}\n{}", deep("canary")),
        ),
        (
            "a hard link to a file outside",
            new().hard_link("a", &format!("{outside}/canary")),
            "refused: a hard link to".into(),
        ),
        (
            "a hard link that goes up to a file outside",
            new().hard_link("a", &format!("{up}{inside}/canary")),
            "refused: a hard link to".into(),
        ),
        (
            "a hard link through a link to a folder outside",
            new().symlink("link", &outside).hard_link("a", "link/canary"),
            "refused: a hard link to".into(),
        ),
        (
            "a hard link to a link outside, and a file over it",
            new().symlink("link", &format!("{outside}/canary")).hard_link("a", "link").file("a", "x"),
            format!("a = x\nlink -> {outside}/canary\n"),
        ),
        ("a hard link to a folder", new().dir("d").hard_link("a", "d"), "refused: a hard link to d, which is no file".into()),
        (
            "a hard link to a whiteout",
            new().whiteout("w").hard_link("a", "w"),
            "refused: a hard link to w, which is no file".into(),
        ),
        ("a hard link to the root", new().hard_link("a", "/"), "refused: a hard link to".into()),
        ("a hard link to itself", new().file("a", "x").hard_link("a", "a"), "a = x\n".into()),
        (
            "a whiteout through a link to a folder outside",
            new().symlink("link", &outside).whiteout("link/canary"),
            format!("link -> {outside}\n{}", deep("canary").replace("= x", "whiteout")),
        ),
        ("a whiteout of the folder above", new().file(".wh...", ""), "refused: a whiteout that hides nothing".into()),
        (
            "an opaque folder through a link",
            new().symlink("link", &outside).opaque("link"),
            format!("link -> {outside}\n{}", deep("a").replace(&format!("{inside}/a = x\n"), "").replace("outside folder", "outside folder hides")),
        ),
        (
            "links in a circle",
            new().symlink("a", "b").symlink("b", "a").file("a/c", "x").file("d", "x"),
            "a -> b\nb -> a\nd = x\n".into(),
        ),
        (
            "magic links of /proc",
            new().symlink("a", "/proc/self/root").file("a/b", "x"),
            "a -> /proc/self/root\nproc folder\nproc/self folder\nproc/self/root folder\nproc/self/root/b = x\n".into(),
        ),
        (
            "a disk of the machine",
            new().entry(&Entry::bare("disk", b'4', "")).entry(&Entry::bare("memory", b'3', "")),
            "disk whiteout\nmemory whiteout\n".into(),
        ),
        ("a pipe", new().entry(&Entry::bare("pipe", b'6', "")), "pipe whiteout\n".into()),
        (
            "attributes that have overlayfs look elsewhere",
            new()
                .pax(&[("SCHILY.xattr.trusted.overlay.redirect", "/etc"), ("SCHILY.xattr.trusted.overlay.opaque", "y")])
                .dir("a"),
            "a folder\n".into(),
        ),
        ("a name longer than a file system takes", new().file(&"n".repeat(256), "x"), "refused: File name too long".into()),
        ("a path longer than Linux takes", new().file(&"n/".repeat(2100), "x"), "refused: more than".into()),
        ("too many folders in each other", new().file(&"n/".repeat(600), "x"), "refused: more than 512 names".into()),
        (
            "a name with a zero byte",
            new().pax(&[("path", "a\0b")]).file("a", "x"),
            "refused: an extended header with a zero byte in a name".into(),
        ),
        (
            "a file where a folder was",
            new().file("a/b/c", "x").file("a", "y"),
            "a = y\n".into(),
        ),
        (
            "a folder where a file was",
            new().file("a", "y").file("a/b/c", "x"),
            "a folder hides\na/b folder\na/b/c = x\n".into(),
        ),
    ];
    for (attack, layer, wanted) in table {
        let found = place.one(layer);
        if let Some(why) = wanted.strip_prefix("refused: ") {
            assert!(found.starts_with("refused: ") && found.contains(why), "{attack}: {found}");
        } else {
            assert_eq!(found, wanted, "{attack}");
        }
        assert_eq!(fs::read_to_string(place.outside().join("canary")).unwrap(), "alive", "{attack}");
        assert_eq!(names(&place.outside()), ["canary"], "{attack}");
    }
}
