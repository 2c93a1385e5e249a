//! What becomes newly vulnerable when feeds change, seen and told by the real server, also where that is killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    binary::User,
    fixtures::{EXPLOITED, alpine, feeds, layout},
    login::{as_admin, log_in},
    service::{PATIENCE, Service, Skopeo},
};

/// Allows everything.
const LENIENT: &str = "version: 1\nname: lenient\nrules: []\n";

/// Alpine's feed with these vulnerabilities of busybox, each fixed in 1.36.1-r9.
fn import(user: &User, vulnerabilities: &[String]) {
    let named = serde_json::to_string(vulnerabilities).unwrap();
    let secdb = format!(
        r#"{{"apkurl":"{{{{urlprefix}}}}/{{{{distroversion}}}}/{{{{reponame}}}}/{{{{arch}}}}/{{{{pkg.name}}}}-{{{{pkg.ver}}}}.apk",
        "archs":["x86_64"],"reponame":"main","urlprefix":"https://dl-cdn.alpinelinux.org/alpine",
        "distroversion":"v3.23","packages":[{{"pkg":{{"name":"busybox","secfixes":{{"1.36.1-r9":{named}}}}}}}]}}"#
    );
    let path = user.write("v3.23/main.json", secdb);
    user.run(&["feeds", "import", &path]).ended(0);
}

fn ids(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("CVE-2026-{number}")).collect()
}

/// Takes events and answers them: with what is said for the first ones, and then with 204.
#[derive(Clone)]
struct Receiver {
    address: String,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    fn start(first: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/in", listener.local_addr().unwrap());
        let this = Self { address, taken: Arc::default() };
        let taken = Arc::clone(&this.taken);
        thread::spawn(move || {
            let mut answers = first.iter();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut length, mut line) = (0, String::new());
                while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                    let lower = line.to_ascii_lowercase();
                    length =
                        lower.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap());
                    line.clear();
                }
                let mut body = vec![0; length];
                // A server that is killed in the middle leaves half a request.
                let Ok(()) = reader.read_exact(&mut body) else { continue };
                let Ok(event) = serde_json::from_slice(&body) else { continue };
                taken.lock().unwrap().push(event);
                let status = answers.next().unwrap_or(&204);
                let _ =
                    write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
        });
        this
    }

    fn taken(&self) -> Vec<Value> {
        self.taken.lock().unwrap().clone()
    }

    /// Waits for so many.
    #[track_caller]
    fn wait(&self, many: usize) -> Vec<Value> {
        let until = Instant::now() + PATIENCE;
        while self.taken().len() < many {
            assert!(Instant::now() < until, "only {:?}", self.taken());
            thread::sleep(Duration::from_millis(50));
        }
        self.taken()
    }
}

/// Vulnerabilities that an event names.
fn named(event: &Value) -> Vec<String> {
    let lines = event["data"]["vulnerabilities"].as_array().unwrap();
    lines.iter().map(|line| line["vulnerability"].as_str().unwrap().to_owned()).collect()
}

fn add_rule(user: &User, receiver: &Receiver) -> String {
    let add = [
        "notify",
        "add",
        "all",
        "--webhook",
        &receiver.address,
        "--allow-private",
        "--settle",
        "1s",
        "--at-most-every",
        "0s",
    ];
    user.run(&add).ended(0).value("secret")
}

fn new(user: &User, more: &[&str]) -> Vec<Value> {
    let args = [&["findings", "new", "--format", "json"], more].concat();
    user.run(&args).ended(0).json().as_array().unwrap().clone()
}

#[test]
fn a_feed_that_knows_more_makes_images_newly_vulnerable() {
    let user = User::new();
    user.write(".local/share/boltseal/policy.yaml", LENIENT);
    import(&user, &ids([1]));
    let mut service = Service::start(&user, &[]);
    let Some(skopeo) = Skopeo::new(&user, &service) else { return };
    as_admin(&user, &service);
    skopeo.push(&layout(&user, "image", &alpine("1.36.1-r0")), "team/app:1");
    skopeo.pull_until("team/app:1", "pulled", Result::is_ok).unwrap();
    user.run(&["findings", "new"]).ended(0).said(&["none"]);

    let receiver = Receiver::start(&[]);
    let secret = add_rule(&user, &receiver);
    user.run(&["notify", "test", "all"]).ended(0).said(&["delivered"]);
    assert_eq!(receiver.wait(1)[0]["type"], "boltseal.findings.test");

    import(&user, &[ids([1]), vec![EXPLOITED.to_owned()]].concat());
    service.wait_for("judged again why=\"new feeds\"");
    let found = new(&user, &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    let one = &found[0];
    assert_eq!((&one["vulnerability"], &one["cause"]), (&json!(EXPLOITED), &json!("feed")));
    assert_eq!((&one["since"], &one["exploited"]), (&one["noticed"], &json!(false)));
    assert_eq!((&one["fixed"], &one["places"][0]["tags"]), (&json!("1.36.1-r9"), &json!(["1"])));
    assert!(one.get("running").is_none(), "nobody looks at where images run");
    let event = receiver.wait(2).remove(1);
    assert_eq!(event["type"], "boltseal.findings.new");
    assert_eq!((named(&event), &event["data"]["images"]), (vec![EXPLOITED.to_owned()], &json!(1)));

    // CISA lists it: news again, with its own cause; it is known since it was seen first.
    let kev = feeds(&user).remove(1);
    import(&user, &[ids([1]), vec![EXPLOITED.to_owned()]].concat());
    user.run(&["feeds", "import", &kev]).ended(0);
    let event = receiver.wait(3).remove(2);
    assert_eq!(event["data"]["vulnerabilities"][0]["cause"], "exploited");
    let found = new(&user, &["--cause", "exploited"]);
    assert_eq!((&found[0]["since"], &found[0]["before"]["exploited"]), (&one["since"], &json!(false)));
    let table = user.run(&["findings", "new", "--repository", "team/*", "--severity", "unknown"]).ended(0);
    table.said(&["VULNERABILITY", EXPLOITED, "exploited", "feed"]);
    user.run(&["findings", "new", "--severity", "bad"]).ended(2);

    // A feed that takes it back.
    import(&user, &ids([1]));
    let until = Instant::now() + PATIENCE;
    while !new(&user, &[]).is_empty() {
        assert!(Instant::now() < until, "{:?}", new(&user, &[]));
        thread::sleep(Duration::from_millis(100));
    }
    user.run(&["findings", "gone"]).ended(0).said(&[EXPLOITED, "gone"]);

    // Who pulled it last, once that is written.
    import(&user, &ids([1, 2]));
    let until = Instant::now() + PATIENCE;
    loop {
        let found = new(&user, &["--cause", "feed"]);
        if found.first().is_some_and(|one| one["places"][0]["pulled_by"] == "admin") {
            break;
        }
        assert!(Instant::now() < until, "{found:?}");
        thread::sleep(Duration::from_millis(100));
    }

    receiver.wait(4);
    let until = Instant::now() + PATIENCE;
    loop {
        let listed = user.run(&["notify", "ls"]).ended(0).said(&["all", "webhook", &receiver.address]);
        if listed.out.contains("delivered") {
            break;
        }
        assert!(Instant::now() < until, "{}", listed.out);
        thread::sleep(Duration::from_millis(100));
    }
    user.run(&["notify", "deliveries", "all"]).ended(0).said(&["news", "test", "delivered"]);
    let log = user.run(&["audit", "log", "--n", "500", "--format", "json"]).ended(0).out;
    assert!(log.contains("/registries/main/notifications"), "the rule is not in the log");
    assert!(!log.contains(&secret) && !service.log().contains(&secret), "its secret is");
    user.run(&["notify", "rm", "all"]).ended(0);
    user.run(&["notify", "rm", "all"]).ended(2);
    user.run(&["notify", "test", "all"]).ended(2);
    service.stop();
}

/// Between a judgement and the end of its delivery there is nowhere to lose a message, or to make a second one of it.
#[test]
fn a_server_that_is_killed_tells_everything_and_nothing_twice() {
    /// Milliseconds after the server took new feeds: before, while and after it judges, makes and sends.
    const MOMENTS: [u64; 6] = [0, 30, 150, 600, 1_300, 2_200];
    let user = User::new();
    user.write(".local/share/boltseal/policy.yaml", LENIENT);
    import(&user, &ids([0]));
    let service = Service::start(&user, &[]);
    let Some(skopeo) = Skopeo::new(&user, &service) else { return };
    let secret = as_admin(&user, &service);
    for (number, version) in ["1.36.1-r0", "1.36.1-r1", "1.36.1-r2"].into_iter().enumerate() {
        let image = layout(&user, &format!("image-{number}"), &alpine(version));
        skopeo.push(&image, &format!("app:{number}"));
        skopeo.pull_until(&format!("app:{number}"), &format!("pulled-{number}"), Result::is_ok).unwrap();
    }
    // The first two attempts fail, so that a message is on its way for a while.
    let receiver = Receiver::start(&[500, 503]);
    add_rule(&user, &receiver);
    let mut service = Some(service);
    for (round, moment) in MOMENTS.into_iter().enumerate() {
        let mut running = service.take().unwrap_or_else(|| Service::start(&user, &[]));
        let known = running.log().matches("feeds in use").count();
        import(&user, &ids(0..round + 2));
        let until = Instant::now() + PATIENCE;
        while running.log().matches("feeds in use").count() == known {
            assert!(Instant::now() < until, "{}", running.log());
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_millis(moment));
        running.signal("KILL");
        running.ended();
    }
    let service = Service::start(&user, &[]);
    log_in(&user, &service, "admin", &secret).ended(0);
    let expected: BTreeSet<String> = ids(1..=MOMENTS.len()).into_iter().collect();
    let until = Instant::now() + 2 * PATIENCE;
    let told = || receiver.taken().iter().flat_map(named).collect::<BTreeSet<_>>();
    let waiting = || {
        let args = ["notify", "deliveries", "all", "--state", "waiting", "--format", "json"];
        !user.run(&args).ended(0).json().as_array().unwrap().is_empty()
    };
    while told() != expected || waiting() {
        assert!(Instant::now() < until, "{:?} of {expected:?}\n{}", told(), service.log());
        thread::sleep(Duration::from_millis(200));
    }
    // Each is in one message, however often that arrived; and each message says the same every time.
    let (mut of_each, mut bodies): (BTreeMap<String, BTreeSet<String>>, BTreeMap<String, Value>) =
        Default::default();
    for event in receiver.taken() {
        let id = event["id"].as_str().unwrap().to_owned();
        for vulnerability in named(&event) {
            of_each.entry(vulnerability).or_default().insert(id.clone());
        }
        assert_eq!(event["data"]["images"], 3, "{event}");
        assert_eq!(bodies.entry(id).or_insert_with(|| event.clone()), &event);
    }
    for (vulnerability, messages) in of_each {
        assert_eq!(messages.len(), 1, "{vulnerability} is in {messages:?}");
    }
    println!("{} messages arrived {} times", bodies.len(), receiver.taken().len());
    service.stop();
}
