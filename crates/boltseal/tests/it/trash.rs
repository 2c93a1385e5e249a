//! A tag comes back, and what is not there ends as elsewhere: 3 where it is an image, 2 where it is a name of something else.

use boltseal_testkit::image::{Image, Layer};

use crate::{binary::User, login::as_admin, service::Service};

#[test]
fn a_tag_comes_back_and_what_is_not_there_does_not() {
    let user = User::new();
    user.write(".local/share/boltseal/policy.yaml", "version: 1\nname: lenient\nrules: []\n");
    let service = Service::start(&user, &[]);
    as_admin(&user, &service);
    let built = Image::new().layer(Layer::new().file("etc/os-release", "ID=alpine\n")).build();
    built.write_oci(&user.home().join("one"), Some("v1"));
    let app = format!("{}/team/app", service.https);
    let image = |args: &[&str]| user.run(&[&["image"], args].concat());
    for tag in ["v1", "v2"] {
        image(&["copy", "oci:one:v1", &format!("{app}:{tag}")]).ended(0);
    }
    let v1 = format!("{app}:v1");
    image(&["rm", &v1]).ended(0);
    image(&["tag", &format!("{app}:v2"), "v3"]).ended(0);
    image(&["undelete", &v1]).ended(0).complained(&["brought back", "v1"]);
    image(&["ls", &app]).ended(0).said(&["v1", "v2", "v3"]);
    let absent = format!("{app}:absent");
    for verb in ["undelete", "lock", "unlock", "rm", "inspect"] {
        image(&[verb, &absent]).ended(3);
    }
    for what in ["upstream", "mirror"] {
        user.run(&["registry", what, "rm", "absent"]).ended(2);
    }
    service.stop();
}
