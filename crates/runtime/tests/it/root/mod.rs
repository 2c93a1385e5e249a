//! Roots of containers, mounted from layers that were really unpacked.

mod podman;
mod scanned;

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use boltseal_image::{Layers, Options, Unpacked};
use boltseal_runtime::{
    plan::Users,
    root::{Error, Layer as Lower, Root, Shift, Stack, Target},
};
use boltseal_testkit::{
    image::{Entry, Image, Layer},
    shared, skip,
};

const ALPINE: &str = "data/fixtures/images/alpine-311-docker-archive.tar.gz";
const USERS: Users = Users { first: 1_000_000, count: 65_536 };
const SHIFTS: [Shift; 2] = [Shift::Mapped, Shift::Copied];

/// A store, and a folder to mount in.
struct Place {
    folder: tempfile::TempDir,
    layers: Layers,
}

impl Place {
    /// Nothing where tests do not run as root.
    fn new() -> Option<Self> {
        if !boltseal_sys::is_root() {
            skip("only root mounts");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        fs::create_dir(folder.path().join("run")).unwrap();
        let layers = Layers::open(&folder.path().join("layers")).unwrap();
        Some(Self { folder, layers })
    }

    fn unpack(&self, image: &Image) -> Vec<Unpacked> {
        let at = tempfile::tempdir().unwrap();
        image.build().write_oci(at.path(), None);
        self.layers.unpack(&format!("oci:{}", at.path().display()), &Options::default()).unwrap().1
    }

    /// Mounts `unpacked` where nobody else sees it, and looks at it.
    fn with<T: Send>(
        &self,
        unpacked: &[Unpacked],
        targets: &[Target],
        shift: Option<Shift>,
        look: impl FnOnce(&Root) -> T + Send,
    ) -> Result<T, Error> {
        let layers: Vec<Lower<'_>> = unpacked
            .iter()
            .map(|one| Lower { path: &one.path, implied: &one.index.implied, hides_all: one.index.hides_all })
            .collect();
        let place = self.folder.path().join("run");
        let stack = Stack { layers: &layers, users: USERS, targets, place: &place, shift };
        thread::scope(|scope| {
            let mounted = scope.spawn(|| {
                let mounts = boltseal_sys::private_mounts().unwrap();
                Root::assemble(&mounts, &stack).map(|root| look(&root))
            });
            mounted.join().unwrap()
        })
    }

    /// What is in the root of `image`.
    fn shows(&self, image: &Image, targets: &[Target], shift: Shift) -> Vec<String> {
        self.with(&self.unpack(image), targets, Some(shift), |root| listed(&root.path)).unwrap()
    }
}

/// Everything below `root`: path, owner within, mode, and what it is.
fn listed(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut todo = vec![root.to_owned()];
    while let Some(path) = todo.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().display();
        let owner = format!("{}:{}", meta.uid() - USERS.first, meta.gid() - USERS.first);
        let mode = meta.mode() & 0o7777;
        if meta.is_symlink() {
            lines.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
        } else if meta.is_dir() {
            lines.push(format!("{name}/ {owner} {mode:o}"));
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            lines.push(format!("{name} {owner} {mode:o} = {}", fs::read_to_string(&path).unwrap()));
        }
    }
    lines.sort();
    lines
}

/// What the user `within` sees and does in a root.
fn run(root: &Root, within: u32, script: &str) -> String {
    let user = USERS.first + within;
    let output = Command::new("chroot")
        .arg(format!("--userspec={user}:{user}"))
        .arg(&root.path)
        .args(["/bin/sh", "-c", script])
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned()
}

#[test]
fn a_real_image_belongs_to_its_users_and_cannot_be_changed() {
    let Some(place) = Place::new() else { return };
    let Some(archive) = shared(ALPINE) else { return };
    let archive = format!("docker-archive:{}", archive.display());
    let unpacked = place.layers.unpack(&archive, &Options::default()).unwrap().1;
    let index = &unpacked[0].index;
    assert!(index.executables.len() > 10 && index.executables.iter().any(|one| one.path == "bin/busybox"));
    let targets = ["/proc", "/sys", "/dev"].map(Target::folder);
    for shift in SHIFTS {
        place
            .with(&unpacked, &targets, Some(shift), |root| {
                assert_eq!(root.copied.is_some(), shift == Shift::Copied);
                let busybox = fs::metadata(root.path.join("bin/busybox")).unwrap();
                assert_eq!((busybox.uid(), busybox.gid()), (USERS.first, USERS.first));
                let shadow = fs::metadata(root.path.join("etc/shadow")).unwrap();
                assert_eq!((shadow.uid(), shadow.gid()), (USERS.first, USERS.first + 42));
                assert_eq!(
                    run(root, 0, "head -1 /etc/shadow; id -u"),
                    "root:!::0:::::\n1000000",
                    "{shift:?}"
                );
                assert_eq!(
                    run(root, 1, "cat /etc/shadow"),
                    "cat: can't open '/etc/shadow': Permission denied"
                );
                let refused = fs::write(root.path.join("etc/passwd"), "").unwrap_err();
                assert_eq!(refused.kind(), io::ErrorKind::ReadOnlyFilesystem);
                let flags = rustix::fs::statvfs(&root.path).unwrap().f_flag;
                let sealed = rustix::fs::StatVfsMountFlags::RDONLY
                    | rustix::fs::StatVfsMountFlags::NOSUID
                    | rustix::fs::StatVfsMountFlags::NODEV;
                assert!(flags.contains(sealed));
                // By these, whoever is asked before something is executed knows what it is.
                let index = index.of_copy(&root.layers[0]).unwrap();
                assert_eq!(index == unpacked[0].index, shift == Shift::Mapped);
                for one in &index.executables {
                    let meta = fs::metadata(root.path.join(&one.path)).unwrap();
                    let seen = (meta.ino(), (meta.ctime(), u32::try_from(meta.ctime_nsec()).unwrap()));
                    assert_eq!(seen, (one.inode, one.changed), "{shift:?} {}", one.path);
                }
            })
            .unwrap();
    }
    // The folder of the layer is nobody's but the machine's, before and after.
    assert_eq!(fs::metadata(unpacked[0].path.join("bin/busybox")).unwrap().uid(), 0);
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(&place.folder.path().display().to_string()));
    assert_eq!(fs::read_dir(place.folder.path().join("run")).unwrap().count(), 0);
}

#[test]
fn layers_hide_what_is_below() {
    let Some(place) = Place::new() else { return };
    let base = Layer::new()
        .entry(&Entry { mode: 0o755, ..Entry::bare("./", b'5', "") })
        .entry(&Entry { mode: 0o1777, owner: (3, 4), ..Entry::bare("tmp", b'5', "") })
        .file("tmp/old", "1")
        .dir("opaque")
        .file("opaque/old", "1")
        .file("gone", "1")
        .file("changed", "1")
        .symlink("link", "tmp");
    // No entry for `tmp`: its owner and mode are those below.
    let top = Layer::new()
        .file("tmp/new", "2")
        .opaque("opaque")
        .file("opaque/new", "2")
        .whiteout("gone")
        .file("changed", "2");
    let image = Image::new().layer(base.clone()).layer(top.clone());
    for shift in SHIFTS {
        assert_eq!(
            place.shows(&image, &[], shift),
            [
                "/ 0:0 755",
                "changed 0:0 644 = 2",
                "link -> tmp",
                "opaque/ 0:0 755",
                "opaque/new 0:0 644 = 2",
                "tmp/ 3:4 1777",
                "tmp/new 0:0 644 = 2",
                "tmp/old 0:0 644 = 1",
            ]
        );
        let all =
            Image::new().layer(base.clone()).layer(Layer::new().file(".wh..wh..opq", "")).layer(top.clone());
        assert_eq!(
            place.shows(&all, &[], shift),
            [
                "/ 0:0 755",
                "changed 0:0 644 = 2",
                "opaque/ 0:0 755",
                "opaque/new 0:0 644 = 2",
                "tmp/ 0:0 755",
                "tmp/new 0:0 644 = 2"
            ]
        );
    }
}

#[test]
fn mount_points_are_made_where_links_lead() {
    let Some(place) = Place::new() else { return };
    let image = Image::new().layer(
        Layer::new()
            .entry(&Entry { mode: 0o700, owner: (5, 6), ..Entry::bare("data", b'5', "") })
            .symlink("var/run", "/run")
            .symlink("etc/resolv.conf", "../run/systemd/resolve/stub")
            .symlink("out", "../../../../../escaped")
            .symlink("a", "b")
            .symlink("b", "a")
            .file("file", "x"),
    );
    let targets = [
        Target::folder("/proc"),
        Target::folder("/var/run/secrets"),
        Target::file("/etc/resolv.conf"),
        Target::file("/etc/hosts"),
        Target::file("/etc/hosts"),
        Target::folder("/data/volume/deep"),
        Target::folder("/data"),
        Target::file("/file"),
        Target::folder("/out/../../here"),
    ];
    for shift in SHIFTS {
        assert_eq!(
            place.shows(&image, &targets, shift),
            [
                "/ 0:0 755",
                "a -> b",
                "b -> a",
                "data/ 5:6 700",
                "data/volume/ 0:0 755",
                "data/volume/deep/ 0:0 755",
                "etc/ 0:0 755",
                "etc/hosts 0:0 644 = ",
                "etc/resolv.conf -> ../run/systemd/resolve/stub",
                "file 0:0 644 = x",
                "here/ 0:0 755",
                "out -> ../../../../../escaped",
                "proc/ 0:0 755",
                "run/ 0:0 755",
                "run/secrets/ 0:0 755",
                "run/systemd/ 0:0 755",
                "run/systemd/resolve/ 0:0 755",
                "run/systemd/resolve/stub 0:0 644 = ",
                "var/ 0:0 755",
                "var/run -> /run",
            ]
        );
    }
    for (target, why) in [
        (Target::folder("/"), "it is the root itself"),
        (Target::folder("/.."), "it is the root itself"),
        (Target::folder("/a/x"), "links of the image lead in circles"),
        (Target::folder("/file"), "the image has a file there"),
        (Target::file("/data"), "the image has a folder there"),
        (Target::folder("/file/x"), "the image has a file on the way to it"),
    ] {
        let error =
            place.with(&place.unpack(&image), std::slice::from_ref(&target), None, |_| ()).unwrap_err();
        assert_eq!(error.to_string(), format!("nothing can be mounted on {}: {why}", target.path));
    }
}

/// As many layers as Docker stacks, and as many as the kernel does.
#[test]
fn many_layers() {
    let Some(place) = Place::new() else { return };
    let folders: Vec<PathBuf> = (0..500).map(|at| place.folder.path().join(at.to_string())).collect();
    for (at, folder) in folders.iter().enumerate() {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join(format!("f{at}")), "x").unwrap();
        fs::write(folder.join("last"), at.to_string()).unwrap();
    }
    let run = place.folder.path().join("run");
    let mount = |count: usize| {
        let layers: Vec<Lower<'_>> =
            folders[..count].iter().map(|path| Lower { path, implied: &[], hides_all: false }).collect();
        let targets = [Target::folder("/proc")];
        let stack = Stack {
            layers: &layers,
            users: USERS,
            targets: &targets,
            place: &run,
            shift: Some(Shift::Mapped),
        };
        thread::scope(|scope| {
            let shown = scope.spawn(|| {
                let mounts = boltseal_sys::private_mounts().unwrap();
                Root::assemble(&mounts, &stack).map(|root| listed(&root.path))
            });
            shown.join().unwrap()
        })
    };
    for count in [1, 127, 499] {
        let shown = mount(count).unwrap();
        assert_eq!(shown.len(), count + 3);
        assert!(shown.contains(&format!("last 0:0 644 = {}", count - 1)));
    }
    assert!(matches!(mount(0), Err(Error::Layers(0))));
    assert!(matches!(mount(500), Err(Error::Layers(500))));
}

/// A process that another thread starts has, for a moment, all that the root is looked at with.
#[test]
fn processes_that_start_meanwhile() {
    let Some(place) = Place::new() else { return };
    let image = place.unpack(&Image::new().layer(Layer::new().file("a", "1")));
    let done = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                std::process::Command::new("true").status().unwrap();
            }
        });
        let made = (0..200).try_for_each(|_| {
            place.with(&image, &[Target::folder("/proc"), Target::folder("/b/c")], None, |_| ())
        });
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        made.unwrap();
    });
}

/// Builders repeat layers, above all empty ones.
#[test]
fn a_layer_that_comes_twice() {
    let Some(place) = Place::new() else { return };
    let (one, two) = (Layer::new().file("a", "1").whiteout("b"), Layer::new().file("a", "2").file("b", "2"));
    let image = Image::new().layer(one.clone()).layer(two.clone()).layer(one);
    assert_eq!(place.shows(&image, &[], Shift::Mapped), ["/ 0:0 755", "a 0:0 644 = 1"]);
    assert_eq!(
        place.shows(&image.layer(two), &[], Shift::Mapped),
        ["/ 0:0 755", "a 0:0 644 = 2", "b 0:0 644 = 2"]
    );
}

/// A copy is made once for each range of users, never found half made, and goes with its layer.
#[test]
fn copies_are_kept() {
    let Some(place) = Place::new() else { return };
    let unpacked = place.unpack(
        &Image::new().layer(
            Layer::new()
                .file("a", "x")
                .entry(&Entry { mode: 0o755, ..Entry::bare("b", b'1', "a") })
                .whiteout("c"),
        ),
    );
    let beside = unpacked[0].path.parent().unwrap().to_owned();
    fs::create_dir_all(beside.join("users-unfinished/of/a/killed/process")).unwrap();
    let folders = || -> Vec<PathBuf> {
        let found = fs::read_dir(&beside).unwrap().map(|entry| entry.unwrap().path());
        found.filter(|path| path.display().to_string().contains("users-")).collect()
    };
    let inode = || {
        let found = place.with(&unpacked, &[], Some(Shift::Copied), |root| {
            let of = |name: &str| fs::metadata(root.path.join(name)).unwrap();
            assert_eq!((of("a").ino(), of("a").mode() & 0o7777), (of("b").ino(), 0o755));
            assert!(!root.path.join("c").exists());
            assert_eq!(root.copied.as_deref(), Some("it was asked for"));
            of("a").ino()
        });
        found.unwrap()
    };
    assert_eq!(inode(), inode());
    assert_eq!(folders(), [beside.join("users-1000000-65536")]);
    drop(unpacked);
    place.layers.prune(&[]).unwrap();
    assert!(!beside.exists());
}

/// A file system that cannot map users: the layers are copied, and the root says why.
#[test]
fn where_owners_cannot_be_shifted() {
    let Some(place) = Place::new() else { return };
    let run = place.folder.path().join("run");
    let (store, lower) = (place.folder.path().join("odd"), place.folder.path().join("lower"));
    for path in [&store, &lower] {
        fs::create_dir(path).unwrap();
    }
    fs::write(lower.join("file"), "x").unwrap();
    let assemble = |shift: Option<Shift>| {
        thread::scope(|scope| {
            let mounted = scope.spawn(|| {
                let mounts = boltseal_sys::private_mounts().unwrap();
                // Users of what is an overlay already cannot be mapped.
                let layer = store.join("root");
                fs::create_dir_all(&layer).unwrap();
                let options = format!("lowerdir={}:{}", lower.display(), run.display());
                let options = std::ffi::CString::new(options).unwrap();
                let read_only = rustix::mount::MountFlags::RDONLY;
                rustix::mount::mount("none", &layer, "overlay", read_only, options.as_c_str()).unwrap();
                let layers = [Lower { path: &layer, implied: &[], hides_all: false }];
                let stack = Stack { layers: &layers, users: USERS, targets: &[], place: &run, shift };
                Root::assemble(&mounts, &stack).map(|root| (root.copied.clone(), listed(&root.path)))
            });
            mounted.join().unwrap()
        })
    };
    let error = assemble(Some(Shift::Mapped)).unwrap_err();
    assert!(matches!(error, Error::Shift { .. }), "{error}");
    let (why, shown) = assemble(None).unwrap();
    assert_eq!(why.as_deref(), Some("the users of a layer: Invalid argument (os error 22)"));
    assert_eq!(shown, ["/ 0:0 755", "file 0:0 644 = x"]);
}
