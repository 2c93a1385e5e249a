//! Evaluates each line of standard input, an expression over `object`, the JSON in the file that was named.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "an example")]

use boltseal_cel::{Budget, Environment, Scope};

fn main() {
    let json = std::env::args().nth(1).map(|path| std::fs::read_to_string(path).unwrap());
    let object: serde_json::Value = json.map(|text| serde_json::from_str(&text).unwrap()).unwrap_or_default();
    let environment = Environment::new(&["object"]);
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let program = match environment.compile(&line) {
            Ok(program) => program,
            Err(error) => {
                println!("refused: {}", error.sentence());
                continue;
            }
        };
        let scope = Scope::new(&environment, vec![(&object).into()]);
        match scope.evaluate(&program, &mut Budget::default()) {
            Ok(value) => println!("{value}"),
            Err(error) => println!("error: {}", error.sentence()),
        }
    }
}
