//! Two servers that cosign each other, and logs that are put back or forked.

use boltseal_audit::log::{
    AddCheckpoint, Anchor, Checkpoint, Cosigner, Hash, Inconsistent, Log, Memory, Proof, Refusal, Rollback,
    Seen, SignedCheckpoint, Signer,
};
use boltseal_model::Timestamp;

use super::{ORIGIN, entry, files, log};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// What a log sends to a witness that has seen `old` entries.
fn request<S: boltseal_audit::log::Storage>(log: &Log<S>, old: u64) -> AddCheckpoint {
    let proof = log.reader().consistency(old, log.size()).unwrap();
    let request = AddCheckpoint { old, proof, checkpoint: log.checkpoint().clone() };
    let again = AddCheckpoint::parse(request.to_string().as_bytes()).unwrap();
    assert_eq!(again, request);
    again
}

fn grow(log: &mut Log<Memory>, more: u64) {
    let entries: Vec<Vec<u8>> = (log.size()..log.size() + more).map(entry).collect();
    log.append(&entries).unwrap();
}

#[test]
fn two_servers_cosign_each_other() {
    let mut logs = [log(&[]), log(&[3])];
    let cosigners = ["a.example/witness", "b.example/witness"].map(|name| Cosigner::generate(name).unwrap());
    // What each has seen of the other.
    let mut seen: [Option<Seen>; 2] = [None, None];
    for round in 0..6 {
        for own in [0, 1] {
            let witness = 1 - own;
            let old = seen[witness].map_or(0, |seen| seen.size);
            let request = request(&logs[own], old);
            let verifier = logs[own].signer().verifier().clone();
            let cosigned =
                request.decide(Some(&verifier), seen[witness].as_ref(), &cosigners[witness], NOW).unwrap();
            seen[witness] = Some(cosigned.seen);
            let known = [cosigners[witness].verifier().clone()];
            let answer = cosigned.signature.to_string();
            let checkpoint = logs[own].checkpoint().cosigned(answer.as_bytes(), &known).unwrap();
            assert!(logs[own].publish(&checkpoint).unwrap());
            assert_eq!(logs[own].reader().checkpoint().unwrap().verify(&verifier, &known).unwrap().len(), 1);
            if logs[own].size() > 0 {
                let proof = Proof::make(&logs[own].reader(), 0).unwrap();
                assert_eq!(proof.verify_cosigned(&entry(0), &verifier, &known).unwrap().len(), 1);
            }
            grow(&mut logs[own], 100 * round);
            assert_eq!(logs[own].publish(&checkpoint).unwrap(), round == 0, "an older one is not published");
        }
    }
}

#[test]
fn a_witness_refuses_with_the_status_of_the_protocol() {
    let mut log = log(&[5]);
    let at_five = log.checkpoint().clone();
    let verifier = log.signer().verifier().clone();
    grow(&mut log, 300);
    let cosigner = Cosigner::generate("witness.example").unwrap();
    let root = at_five.checkpoint().root;
    let five = Some(Seen { size: 5, root });
    let good = request(&log, 5);
    let with = |old, proof: &[Hash], checkpoint: &SignedCheckpoint| AddCheckpoint {
        old,
        proof: proof.to_vec(),
        checkpoint: checkpoint.clone(),
    };
    let signed = |size, root| {
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root, extensions: Vec::new() };
        SignedCheckpoint::sign(checkpoint, log.signer()).unwrap()
    };
    let stranger = Signer::generate(ORIGIN).unwrap();
    let posed = SignedCheckpoint::sign(good.checkpoint().clone(), &stranger).unwrap();
    let another = Hash::leaf(b"another");
    for (what, request, seen, status) in [
        ("all is well", good.clone(), five, 200),
        ("first seen", request(&log, 0), None, 200),
        ("nothing new", with(5, &[], &at_five), five, 200),
        ("an empty log", with(0, &[], &signed(0, Hash::empty())), None, 200),
        ("signed by a stranger", with(5, &good.proof, &posed), five, 403),
        ("backwards", with(306, &[], &good.checkpoint), five, 400),
        ("not what was seen", good.clone(), Some(Seen { size: 6, root }), 409),
        ("never seen", good.clone(), None, 409),
        ("seen later", with(5, &[], &at_five), Some(Seen { size: 305, root }), 409),
        ("another root of nothing", with(0, &[], &signed(0, another)), None, 422),
        ("a proof from nothing", with(0, &good.proof, &good.checkpoint), None, 422),
        ("no proof", with(5, &[], &good.checkpoint), five, 422),
        ("half a proof", with(5, &good.proof[1..], &good.checkpoint), five, 422),
        ("a fork", with(5, &good.proof, &signed(305, another)), five, 422),
        ("another root", with(5, &[], &signed(5, another)), five, 422),
        ("a proof of the same", with(5, &[another], &at_five), five, 422),
    ] {
        let found = request.decide(Some(&verifier), seen.as_ref(), &cosigner, NOW);
        assert_eq!(found.as_ref().map_or_else(Refusal::status, |_| 200), status, "{what}: {found:?}");
    }
    let unknown = good.decide(None, None, &cosigner, NOW).unwrap_err();
    assert_eq!((unknown.status(), unknown.body().contains(ORIGIN)), (404, true));
    let conflict = good.decide(Some(&verifier), None, &cosigner, NOW).unwrap_err();
    assert_eq!(conflict.body(), "0\n");
    let other = Signer::generate("other/log").unwrap();
    assert_eq!(good.decide(Some(other.verifier()), None, &cosigner, NOW).unwrap_err().status(), 404);
}

#[test]
fn other_requests_are_refused() {
    let good = request(&log(&[5]), 0).to_string();
    let hash = Hash::empty();
    for (body, wrong) in [
        (String::new(), "a request is"),
        (good.replace("old 0", "old 00"), "a request is"),
        (good.replace("old 0", "old -1"), "a request is"),
        (good.replace("old 0\n", ""), "a request is"),
        (good.replace("old 0\n", "old 0\nx\n"), "hash 1"),
        (good.replace("old 0\n", &format!("old 0\n{}", format!("{hash}\n").repeat(64))), "more than 63"),
        (good.replace("\n\n", "\n"), ""),
        (good.replace('—', "-"), "signature 1"),
        ("x".repeat(300_000), "300000 bytes"),
    ] {
        let found = AddCheckpoint::parse(body.as_bytes()).unwrap_err().to_string();
        let short: String = body.chars().take(60).collect();
        assert!(found.contains(wrong), "{short:?}: {found}");
    }
}

#[test]
fn an_anchor_notices_an_older_folder_and_a_fork() {
    let mut log = log(&[300]);
    let kept = log.signer().to_pkcs8().unwrap();
    let signer = || Signer::from_pkcs8(ORIGIN, &kept).unwrap();
    let yesterday = files(&log);
    let early = Anchor::new(log.checkpoint().clone());
    grow(&mut log, 400);
    let text = Anchor::new(log.checkpoint().clone()).to_string();
    let anchor = Anchor::open(text.as_bytes(), log.signer().verifier()).unwrap();
    for good in [&early, &anchor] {
        good.check(&log.reader()).unwrap();
    }
    let mut restored = Log::open(yesterday, signer()).unwrap();
    early.check(&restored.reader()).unwrap();
    for (more, wanted) in
        [(0, "had 700 entries and has 300"), (400, "had the root"), (9, "does not begin with")]
    {
        let lost: Vec<Vec<u8>> = (0..more).map(|_| b"another day".to_vec()).collect();
        restored.append(&lost).unwrap();
        early.check(&restored.reader()).unwrap();
        let rollback = anchor.check(&restored.reader()).unwrap_err();
        assert!(matches!(rollback, Rollback::Inconsistent(_)));
        assert!(rollback.to_string().contains(wanted), "{rollback}");
    }
    let empty = Log::open(Memory::default(), signer()).unwrap();
    let rollback = anchor.check(&empty.reader()).unwrap_err();
    let Rollback::Inconsistent(Inconsistent::Shrunk { had: 700, has: 0 }) = rollback else {
        panic!("{rollback}")
    };
    let other = Log::open(Memory::default(), Signer::generate(ORIGIN).unwrap()).unwrap();
    assert!(matches!(anchor.check(&other.reader()), Ok(()) | Err(Rollback::Inconsistent(_))));
}
