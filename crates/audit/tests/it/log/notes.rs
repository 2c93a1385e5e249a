//! Keys, notes, checkpoints and proof files: what is read, what is refused, and that secrets stay inside.

use boltseal_audit::log::{
    Checkpoint, CheckpointError, Cosigner, Hash, KeyError, KeyKind, MAX_NOTE, Note, NoteError, Proof,
    SignedCheckpoint, Signer, Verifier,
};
use boltseal_model::Timestamp;

use super::{ORIGIN, entry, log};

/// The example of C2SP signed-note, "Verifier keys".
const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn key(text: &str) -> Verifier {
    text.parse().unwrap()
}

#[test]
fn the_example_of_the_specification_verifies() {
    let note = Note::parse(NOTE.as_bytes()).unwrap();
    assert_eq!(note.to_string(), NOTE);
    assert_eq!(note.text(), "This is an example message.\n");
    let signed = note.verify(&[key(KEY)]).unwrap();
    assert_eq!((signed[0].name.as_str(), signed[0].time), ("example.com/foo", 0));
    let changed = NOTE.replace("an example", "no example");
    let wrong = Note::parse(changed.as_bytes()).unwrap().verify(&[key(KEY)]);
    assert_eq!(wrong, Err(NoteError::Forged { name: "example.com/foo".to_owned() }));
    let other = Signer::generate("example.com/foo").unwrap();
    assert_eq!(note.verify(&[other.verifier().clone()]), Err(NoteError::Unsigned { found: 1 }));
}

#[test]
fn keys_are_read_and_others_refused() {
    assert_eq!(key(KEY).to_string(), KEY);
    assert_eq!(key(KEY).kind(), KeyKind::Note);
    let name = || "example.com/foo".to_owned();
    for (text, wrong) in [
        ("", KeyError::Form),
        ("a+b", KeyError::Form),
        ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Name),
        ("a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Name),
        ("a\u{2003}b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Name),
        ("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Form),
        ("example.com/foo+30d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Form),
        ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n", KeyError::Form),
        ("example.com/foo+530d903a+Aeky", KeyError::Form),
        ("example.com/foo+530d903a+", KeyError::Form),
        (
            "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            KeyError::Id { name: name(), found: 0x530d_903b, wanted: 0x530d_903a },
        ),
        (
            "example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            KeyError::Unknown { name: name(), found: 0x06 },
        ),
    ] {
        assert_eq!(text.parse::<Verifier>(), Err(wrong), "{text}");
    }
}

#[test]
fn keys_are_kept_and_never_shown() {
    let signer = Signer::generate(ORIGIN).unwrap();
    let kept = signer.to_pkcs8().unwrap();
    let again = Signer::from_pkcs8(ORIGIN, &kept).unwrap();
    assert_eq!(again.verifier_key(), signer.verifier_key());
    assert_eq!(again.sign("x\n"), signer.sign("x\n"));
    assert_eq!(format!("{signer:?}"), format!("Signer({})", signer.verifier_key()));
    assert_eq!(Signer::from_pkcs8(ORIGIN, &kept[1..]).unwrap_err(), KeyError::Private);
    assert_eq!(Signer::from_pkcs8("a+b", &kept).unwrap_err(), KeyError::Name);
    assert_eq!(Signer::generate(&"x".repeat(256)).unwrap_err(), KeyError::Name);
    // The same key as a witness has another id, so that neither signature passes for the other.
    let cosigner = Cosigner::from_pkcs8(ORIGIN, &kept).unwrap();
    assert_ne!(cosigner.verifier_key(), signer.verifier_key());
    assert_eq!(key(&cosigner.verifier_key()).kind(), KeyKind::Cosignature);
}

#[test]
fn other_notes_are_refused() {
    let line = &NOTE[NOTE.find('—').unwrap()..];
    let many = line.repeat(65);
    for (note, wrong) in [
        (String::new(), NoteError::Form),
        ("text\n".to_owned(), NoteError::Form),
        ("text\n\n".to_owned(), NoteError::Form),
        (format!("text\n{line}"), NoteError::Form),
        (NOTE.trim_end().to_owned(), NoteError::Form),
        (NOTE.replace('—', "-"), NoteError::Line { number: 1 }),
        (NOTE.replace("example.com/foo ", ""), NoteError::Line { number: 1 }),
        (NOTE.replace("com/foo ", "com/f+oo "), NoteError::Line { number: 1 }),
        (NOTE.replace("com/foo ", "com/f\u{a0}oo "), NoteError::Line { number: 1 }),
        (format!("{NOTE}— a AAAAAA==\n"), NoteError::Line { number: 2 }),
        (format!("{NOTE}— a AAAAAAB=\n"), NoteError::Line { number: 2 }),
        (format!("{NOTE}text\n"), NoteError::Line { number: 2 }),
        (format!("text\n\n{many}"), NoteError::TooMany),
        (NOTE.replace("an ", "an\r"), NoteError::Text),
        (NOTE.replace("an ", "an\t"), NoteError::Text),
        (NOTE.replace("an ", "an\0"), NoteError::Text),
        ("x".repeat(MAX_NOTE + 1), NoteError::TooLarge { found: MAX_NOTE + 1 }),
    ] {
        let short: String = note.chars().take(80).collect();
        assert_eq!(Note::parse(note.as_bytes()), Err(wrong), "{short}");
    }
    assert_eq!(Note::parse(b"\xff\n\n\xe2\x80\x94 a AAAAAAA=\n"), Err(NoteError::Text));
    let text = format!("a\n\nb\n\n{line}");
    assert_eq!(Note::parse(text.as_bytes()).unwrap().text(), "a\n\nb\n", "the last blank line counts");
}

#[test]
fn sixteen_signatures_of_others_are_passed_over() {
    let signer = Signer::generate(ORIGIN).unwrap();
    let text = "text\n";
    let others: String = (0..16)
        .map(|n| Signer::generate(&format!("other/{n}")).unwrap().sign(text).unwrap().to_string())
        .collect();
    let note = format!("{text}\n{others}{}", signer.sign(text).unwrap());
    let checked = Note::parse(note.as_bytes()).unwrap().verify(&[signer.verifier().clone()]).unwrap();
    assert_eq!(checked.len(), 1);
}

#[test]
fn checkpoints_are_read_and_others_refused() {
    let root = Hash::empty();
    let good = format!("example.com/log\n7\n{root}\n");
    let read: Checkpoint = good.parse().unwrap();
    assert_eq!((read.origin.as_str(), read.size, read.root), ("example.com/log", 7, root));
    assert_eq!(read.to_string(), good);
    let extended = format!("{good}more\n");
    assert_eq!(extended.parse::<Checkpoint>().unwrap().to_string(), extended);
    for (text, wrong) in [
        (String::new(), "an origin"),
        ("example.com/log\n7\n".to_owned(), "an origin"),
        (format!("\n7\n{root}\n"), "an origin"),
        (good.trim_end().to_owned(), "an origin"),
        (format!("{good}\n"), "an origin"),
        (format!("{good}{}", "x\n".repeat(65)), "an origin"),
        (good.replace("\n7\n", "\n07\n"), "second line"),
        (good.replace("\n7\n", "\n+7\n"), "second line"),
        (good.replace("\n7\n", "\n-7\n"), "second line"),
        (good.replace("\n7\n", "\n\n"), "second line"),
        (good.replace("\n7\n", "\n9223372036854775808\n"), "second line"),
        (good.replace("\n7\n", "\n99999999999999999999999\n"), "second line"),
        (good.replace('=', ""), "third line"),
        (good.replace('=', "=="), "third line"),
    ] {
        let found = text.parse::<Checkpoint>().unwrap_err().to_string();
        assert!(found.contains(wrong), "{text:?}: {found}");
    }
    assert_eq!(
        good.replace("\n7\n", "\n9223372036854775807\n").parse::<Checkpoint>().unwrap().size,
        i64::MAX as u64
    );
}

#[test]
fn a_checkpoint_is_believed_from_its_own_log_only() {
    let (ours, other) = (Signer::generate(ORIGIN).unwrap(), Signer::generate("other/log").unwrap());
    let witness = Cosigner::generate("witness.example").unwrap();
    let checkpoint = |origin: &str| Checkpoint {
        origin: origin.to_owned(),
        size: 0,
        root: Hash::empty(),
        extensions: Vec::new(),
    };
    let signed = SignedCheckpoint::sign(checkpoint(ORIGIN), &ours).unwrap();
    let bytes = signed.to_string();
    assert_eq!(SignedCheckpoint::open(bytes.as_bytes(), ours.verifier()), Ok(signed.clone()));
    let wrong = SignedCheckpoint::open(bytes.as_bytes(), other.verifier()).unwrap_err();
    assert_eq!(wrong, CheckpointError::Origin { found: ORIGIN.to_owned(), wanted: "other/log".to_owned() });
    // Our origin, signed by somebody else.
    let posed = SignedCheckpoint::sign(checkpoint(ORIGIN), &other).unwrap();
    let wrong = posed.verify(ours.verifier(), &[]).unwrap_err();
    assert_eq!(wrong, CheckpointError::Unsigned { origin: ORIGIN.to_owned() });
    // A cosignature says when; a changed time is a forgery.
    let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let line = witness.cosign(signed.note().text(), now).unwrap().to_string();
    let witnesses = [witness.verifier().clone()];
    let cosigned = signed.cosigned(line.as_bytes(), &witnesses).unwrap();
    let seen = cosigned.verify(ours.verifier(), &witnesses).unwrap();
    assert_eq!((seen[0].name.as_str(), seen[0].time), ("witness.example", 1_795_435_200));
    let later = witness.cosign(signed.note().text(), Timestamp::UNIX_EPOCH).unwrap().to_string();
    let again = cosigned.cosigned(later.as_bytes(), &witnesses).unwrap();
    assert_eq!(again.note().signatures().len(), 2, "a newer cosignature takes the place of the older one");
    let stranger =
        Cosigner::generate("stranger").unwrap().cosign(signed.note().text(), now).unwrap().to_string();
    assert!(signed.cosigned(stranger.as_bytes(), &witnesses).is_err());
    for answer in ["", "\n", "text\n\n— a AAAAAAA=\n", "— witness.example AAAAAAA=\n"] {
        assert!(signed.cosigned(answer.as_bytes(), &witnesses).is_err(), "{answer:?}");
    }
}

#[test]
fn a_proof_file_proves_its_entry_and_no_other() {
    let log = log(&[300, 41]);
    let verifier = log.signer().verifier();
    for index in [0, 1, 255, 256, 300, 340] {
        let proof = Proof::make(&log.reader(), index).unwrap();
        let text = proof.to_string();
        let read = Proof::parse(text.as_bytes()).unwrap();
        assert_eq!((&read, &read.to_string()), (&proof, &text));
        assert_eq!(read.extra.as_deref(), Some(entry(index).as_slice()));
        assert_eq!(read.verify(&entry(index), verifier), Ok(()));
        assert!(read.verify(&entry(index + 1), verifier).is_err());
        let moved = Proof { index: index ^ 1, ..read };
        assert!(moved.verify(&entry(index), verifier).is_err());
    }
    assert!(Proof::make(&log.reader(), 341).is_err());
    let older = Proof::under(&log.reader(), 7, super::log(&[8]).checkpoint().clone());
    assert!(older.is_err(), "a checkpoint of another log");
}

#[test]
fn other_proof_files_are_refused() {
    let good = Proof::make(&log(&[5]).reader(), 3).unwrap().to_string();
    let hash = Hash::empty();
    let blank = good.find("\n\n").unwrap();
    for (text, wrong) in [
        (String::new(), "first line"),
        (good.replace("@v1", "@v2"), "first line"),
        (good.replace("extra ", "extra  "), "extra data"),
        (good.replace("extra ", "Extra "), "no line `index`"),
        (good.replace("index 3", "index 03"), "no line `index`"),
        (good.replace("index 3", "index"), "no line `index`"),
        (good[..blank].to_owned() + "\n", "blank line"),
        (good[..blank].to_owned() + "\nx" + &good[blank..], "hash 4 of the path"),
        (good[..blank].to_owned() + &format!("\n{hash}").repeat(62) + &good[blank..], "more than 64 hashes"),
        (good.replace("audit\n5\n", "audit\nx\n"), "second line"),
        ("x".repeat(600_000), "600000 bytes"),
    ] {
        let found = Proof::parse(text.as_bytes()).unwrap_err().to_string();
        let short: String = text.chars().take(60).collect();
        assert!(found.contains(wrong), "{short:?}: {found}");
    }
}
