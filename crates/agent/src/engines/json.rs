//! Members of JSON objects set and taken out in the text, so that all else stays as somebody wrote it.

use std::ops::Range;

use serde_json::Value;

use super::install::Error;

/// One of an object, where it stands.
struct Member {
    name: String,
    /// From its name to the end of its value.
    whole: Range<usize>,
    value: Range<usize>,
}

/// Sets the member that `path` leads to; objects on the way are made.
pub(super) fn set(text: &str, path: &[&str], value: &Value) -> Result<String, Error> {
    check(text)?;
    let at = text.find('{').ok_or(Error::Shape)?;
    let done = set_in(text, at, path, value, "")?;
    check(&done)?;
    Ok(done)
}

/// Takes the member out that `path` leads to. One that is not there is out.
pub(super) fn remove(text: &str, path: &[&str]) -> Result<String, Error> {
    check(text)?;
    let at = text.find('{').ok_or(Error::Shape)?;
    let done = remove_in(text, at, path)?;
    check(&done)?;
    Ok(done)
}

/// It is an object. What comes after this can rely on it being JSON.
fn check(text: &str) -> Result<(), Error> {
    match serde_json::from_str(text) {
        Ok(Value::Object(_)) => Ok(()),
        Ok(_) => Err(Error::Shape),
        Err(wrong) => Err(Error::Json(wrong.to_string())),
    }
}

fn set_in(text: &str, at: usize, path: &[&str], value: &Value, indent: &str) -> Result<String, Error> {
    let Some((name, rest)) = path.split_first() else { return Err(Error::Shape) };
    let members = members(text, at)?;
    if let Some(member) = one(&members, name)? {
        if !rest.is_empty() {
            return set_in(text, member.value.start, rest, value, &format!("{indent}    "));
        }
        return Ok(replaced(text, member.value.clone(), &value.to_string()));
    }
    let value = rest.iter().rev().fold(value.clone(), |inner, name| serde_json::json!({ *name: inner }));
    let name = Value::from(*name);
    let open = at + 1;
    let put = match members.first() {
        // As the first one stands: on its own line, or not.
        Some(first) => {
            let space = text.get(open..first.whole.start).unwrap_or_default();
            format!("{space}{name}: {value},")
        }
        None => format!("\n{indent}    {name}: {value}\n{indent}"),
    };
    let end = if members.is_empty() { close(text, at)? } else { open };
    Ok(replaced(text, open..end, &put))
}

fn remove_in(text: &str, at: usize, path: &[&str]) -> Result<String, Error> {
    let Some((name, rest)) = path.split_first() else { return Err(Error::Shape) };
    let members = members(text, at)?;
    let Some(member) = one(&members, name)? else { return Ok(text.to_owned()) };
    if !rest.is_empty() {
        return remove_in(text, member.value.start, rest);
    }
    let place = members.iter().position(|one| one.whole == member.whole).unwrap_or(0);
    let range = match (members.get(place + 1), place.checked_sub(1).and_then(|before| members.get(before))) {
        (Some(next), _) => member.whole.start..next.whole.start,
        (None, Some(before)) => before.whole.end..member.whole.end,
        (None, None) => at + 1..close(text, at)?,
    };
    Ok(replaced(text, range, ""))
}

fn replaced(text: &str, range: Range<usize>, with: &str) -> String {
    let (before, after) = (text.get(..range.start), text.get(range.end..));
    format!("{}{with}{}", before.unwrap_or_default(), after.unwrap_or_default())
}

/// The one of that name. Of two, nobody knows which counts.
fn one<'a>(members: &'a [Member], name: &str) -> Result<Option<&'a Member>, Error> {
    let mut found = members.iter().filter(|member| member.name == name);
    let first = found.next();
    if found.next().is_some() { Err(Error::Twice(name.to_owned())) } else { Ok(first) }
}

/// Of the object that begins at `at`.
fn members(text: &str, at: usize) -> Result<Vec<Member>, Error> {
    let bytes = text.as_bytes();
    if bytes.get(at) != Some(&b'{') {
        return Err(Error::Shape);
    }
    let (mut members, mut place) = (Vec::new(), at + 1);
    loop {
        place = past(bytes, place, |byte| byte.is_ascii_whitespace() || byte == b',');
        if bytes.get(place) == Some(&b'}') {
            return Ok(members);
        }
        let start = place;
        place = string(bytes, place).ok_or(Error::Shape)?;
        let name =
            text.get(start..place).and_then(|name| serde_json::from_str(name).ok()).ok_or(Error::Shape)?;
        place = past(bytes, place, |byte| byte.is_ascii_whitespace() || byte == b':');
        let end = value(bytes, place).ok_or(Error::Shape)?;
        members.push(Member { name, whole: start..end, value: place..end });
        place = end;
    }
}

/// Where the object that begins at `at` has its closing bracket.
fn close(text: &str, at: usize) -> Result<usize, Error> {
    value(text.as_bytes(), at).and_then(|end| end.checked_sub(1)).ok_or(Error::Shape)
}

fn past(bytes: &[u8], from: usize, skipped: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| skipped(**byte)).count()
}

/// The end of the string that begins there.
fn string(bytes: &[u8], from: usize) -> Option<usize> {
    let mut place = from + 1;
    loop {
        match bytes.get(place)? {
            b'"' => return Some(place + 1),
            b'\\' => place += 2,
            _ => place += 1,
        }
    }
}

/// The end of the value that begins there.
fn value(bytes: &[u8], from: usize) -> Option<usize> {
    let (mut place, mut depth) = (from, 0_usize);
    loop {
        match bytes.get(place)? {
            b'"' => place = string(bytes, place)?,
            b'{' | b'[' => {
                depth += 1;
                place += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                place += 1;
            }
            _ => {
                let inner = |byte: u8| {
                    !matches!(byte, b'"' | b'{' | b'[' | b'}' | b']')
                        && (depth > 0 || !matches!(byte, b',' | b' ' | b'\n' | b'\t' | b'\r'))
                };
                place = past(bytes, place, inner);
            }
        }
        if depth == 0 {
            return Some(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_else_stays_as_it_was_written() {
        for (before, after) in [
            ("{}", "{\n    \"runtimes\": {\"boltseal\":{\"path\":\"/x\"}}\n}"),
            ("{ }\n", "{\n    \"runtimes\": {\"boltseal\":{\"path\":\"/x\"}}\n}\n"),
            (
                "{\n  \"debug\": true,\n  \"x\": [1, {\"a\": \"}\\\"\"}]\n}\n",
                "{\n  \"runtimes\": {\"boltseal\":{\"path\":\"/x\"}},\n  \"debug\": true,\n  \"x\": [1, {\"a\": \"}\\\"\"}]\n}\n",
            ),
            (
                "{\"runtimes\": {\"other\": {\"path\": \"o\"}}}",
                "{\"runtimes\": {\"boltseal\": {\"path\":\"/x\"},\"other\": {\"path\": \"o\"}}}",
            ),
            ("{\"runtimes\": {}}", "{\"runtimes\": {\n        \"boltseal\": {\"path\":\"/x\"}\n    }}"),
            ("{\"runtimes\":{\"boltseal\" : 7 }}", "{\"runtimes\":{\"boltseal\" : {\"path\":\"/x\"} }}"),
        ] {
            let got = set(before, &["runtimes", "boltseal"], &serde_json::json!({ "path": "/x" })).unwrap();
            assert_eq!(got, after);
            assert_eq!(
                set(&got, &["runtimes", "boltseal"], &serde_json::json!({ "path": "/x" })).unwrap(),
                after
            );
            let out: Value = serde_json::from_str(&remove(&got, &["runtimes", "boltseal"]).unwrap()).unwrap();
            assert!(out["runtimes"].get("boltseal").is_none(), "{out}");
        }
        for (before, name, after) in [
            ("{\"a\": 1, \"b\": 2, \"c\": 3}", "a", "{\"b\": 2, \"c\": 3}"),
            ("{\"a\": 1, \"b\": 2, \"c\": 3}", "b", "{\"a\": 1, \"c\": 3}"),
            ("{\"a\": 1, \"b\": 2, \"c\": 3}", "c", "{\"a\": 1, \"b\": 2}"),
            ("{\"a\": -1.5e3}", "a", "{}"),
            ("{\"a\": 1}", "b", "{\"a\": 1}"),
        ] {
            assert_eq!(remove(before, &[name]).unwrap(), after);
        }
    }

    #[test]
    fn what_is_no_object_is_left_alone() {
        for (text, wanted) in [
            ("", "no JSON"),
            ("[]", "no object"),
            ("{\"a\": 1,}", "no JSON"),
            ("{\"a\": 1, \"a\": 2}", "`a` twice"),
            ("{\"a\": {} } x", "no JSON"),
        ] {
            let said = set(text, &["a"], &Value::Null).unwrap_err().to_string();
            assert!(said.contains(wanted), "{text}: {said}");
        }
        assert!(set("{\"a\": 1}", &["a", "b"], &Value::Null).is_err(), "a number has no members");
    }
}
