//! The store: each layer once, never in part, gone when nobody wants it.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use boltseal_image::{Error, Layers, Options, Unpacked};
use boltseal_testkit::image::{Compression, Image, Layer};

use super::{Place, names};

/// Wherever people keep images, and archives that say nothing of themselves.
#[test]
fn each_layer_once() {
    let Some(place) = Place::new() else { return };
    let base = Layer::new().file("base", "x");
    let one = Image::new().layer(base.clone()).layer(Layer::new().file("one", "x"));
    let two = Image::new().layer(base.clone()).layer(Layer::new().file("two", "x")).layer(base.clone());
    let new = |unpacked: &[Unpacked]| unpacked.iter().map(|layer| layer.is_new).collect::<Vec<_>>();
    let first = place.unpack(&one).unwrap();
    assert_eq!(new(&first), [true, true]);
    let second = place.unpack(&two).unwrap();
    assert_eq!(new(&second), [false, true, false]);
    assert_eq!(first[0].path, second[2].path);
    let archive = place.folder.path().join("root.tar");
    fs::write(&archive, base.tar()).unwrap();
    let target = format!("rootfs:{}", archive.display());
    let (image, third) = place.layers.unpack(&target, &Options::default()).unwrap();
    assert_eq!((new(&third), &third[0].path), (vec![true], &first[0].path));
    assert_eq!(image.tree.layers[0].diff_id.as_ref(), Some(&first[0].diff_id));
    let target = format!("rootfs:{}", place.outside().display());
    let error = place.layers.unpack(&target, &Options::default()).unwrap_err().to_string();
    assert!(error.contains("is a folder: it has no layers to unpack"), "{error}");
}

#[test]
fn damage_leaves_nothing() {
    let Some(place) = Place::new() else { return };
    let image = Image::new().layer_as(Layer::new().file("a", "x".repeat(5000)), Compression::Plain);
    let mut built = image.build();
    let layer = built.layers()[0].clone();
    let bytes = built.blobs.get_mut(&layer).unwrap();
    bytes[700] ^= 1;
    let at = tempfile::tempdir().unwrap();
    built.write_oci(at.path(), None);
    let error =
        place.layers.unpack(&format!("oci:{}", at.path().display()), &Options::default()).unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
    assert_eq!(place.layers.list().unwrap(), []);
    assert_eq!(names(&place.folder.path().join("layers/unfinished")), Vec::<String>::new());
}

#[test]
fn layers_go_when_nobody_wants_them() {
    let Some(place) = Place::new() else { return };
    let layer = |name: &str| Image::new().layer(Layer::new().file(name, "x"));
    let (one, two, three) = (place.unpack(&layer("1")), place.unpack(&layer("2")), place.unpack(&layer("3")));
    let (one, two, three) = (one.unwrap().remove(0), two.unwrap().remove(0), three.unwrap().remove(0));
    let id = |layer: &Unpacked| layer.diff_id.clone();
    let (first, second, third) = (id(&one), id(&two), id(&three));
    drop((two, three));
    assert_eq!(place.layers.in_use().unwrap(), std::slice::from_ref(&first));
    assert_eq!(place.layers.prune(std::slice::from_ref(&second)).unwrap(), std::slice::from_ref(&third));
    let mut left = [first.clone(), second.clone()];
    left.sort();
    assert_eq!(place.layers.list().unwrap(), left);
    assert!(place.layers.get(&third).unwrap().is_none() && place.layers.get(&second).unwrap().is_some());
    drop(one);
    place.layers.prune(&[]).unwrap();
    assert_eq!(place.layers.list().unwrap(), []);
    assert!(place.unpack(&layer("1")).unwrap()[0].is_new);
}

#[test]
fn layers_go_when_nobody_has_used_them_for_long() {
    let Some(place) = Place::new() else { return };
    let unpack =
        |name: &str| place.unpack(&Image::new().layer(Layer::new().file(name, "x"))).unwrap().remove(0);
    let (held, recent, idle, damaged) = (unpack("1"), unpack("2"), unpack("3"), unpack("4"));
    let ids = [&held, &recent, &idle, &damaged].map(|layer| layer.diff_id.clone());
    let lock = |at: usize| {
        let name = format!("layers/locks/sha256-{}", ids[at].hex());
        fs::File::options().write(true).open(place.folder.path().join(name)).unwrap()
    };
    let ago = |hours: u64| SystemTime::now() - Duration::from_hours(hours);
    drop((recent, idle, damaged));
    lock(0).set_modified(ago(100)).unwrap();
    lock(1).set_modified(ago(23)).unwrap();
    lock(2).set_modified(ago(25)).unwrap();
    // Somebody's clock was wrong.
    lock(3).set_modified(SystemTime::now() + Duration::from_hours(1)).unwrap();
    let day = Duration::from_hours(24);
    assert_eq!(place.layers.prune_idle(day).unwrap(), [ids[2].clone()]);
    drop(held);
    assert_eq!(place.layers.prune_idle(day).unwrap(), [], "it was used a moment ago");
    drop(place.layers.get(&ids[1]).unwrap().unwrap());
    lock(0).set_modified(ago(25)).unwrap();
    assert_eq!(place.layers.prune_idle(day).unwrap(), [ids[0].clone()]);
    let mut left = [ids[1].clone(), ids[3].clone()];
    left.sort();
    assert_eq!(place.layers.list().unwrap(), left);
    assert_eq!(place.layers.prune_idle(Duration::ZERO).unwrap(), left);
}

/// What a process leaves that was killed is removed; what another one works on is not.
#[test]
fn leftovers_are_removed() {
    let Some(place) = Place::new() else { return };
    let store = place.folder.path().join("layers");
    for name in ["sha256-dead", "sha256-alive"] {
        fs::create_dir_all(store.join("unfinished").join(name).join("root/etc")).unwrap();
        fs::write(store.join("locks").join(name), "").unwrap();
    }
    let alive = fs::File::open(store.join("locks/sha256-alive")).unwrap();
    rustix::fs::flock(&alive, rustix::fs::FlockOperation::LockExclusive).unwrap();
    Layers::open(&store).unwrap();
    assert_eq!(names(&store.join("unfinished")), ["sha256-alive"]);
    assert_eq!(names(&store.join("locks")), ["sha256-alive"]);
    drop(alive);
    Layers::open(&store).unwrap();
    assert_eq!(names(&store.join("unfinished")), Vec::<String>::new());
}

/// Several at once: one unpacks a layer, all get it, and nobody waits for those who hold it.
#[test]
fn several_at_once() {
    let Some(place) = Place::new() else { return };
    let image = Image::new().layer(Layer::new().file("a", "x")).layer(Layer::new().file("b", "y"));
    let made: Vec<Vec<Unpacked>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| place.unpack(&image).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let new = |at: usize| made.iter().filter(|unpacked| unpacked[at].is_new).count();
    assert_eq!((new(0), new(1)), (1, 1));
}
