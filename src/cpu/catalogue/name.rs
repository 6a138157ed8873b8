//! Names of CPUs as words that can be compared: without trademarks, clock speeds, core counts and what says nothing.

/// Words that every maker prints and no model differs by.
const NOISE: [&str; 15] = [
    "intel",
    "amd",
    "r",
    "tm",
    "cpu",
    "processor",
    "genuine",
    "0",
    "core",
    "emb",
    "apu",
    "authenticamd",
    "genuineintel",
    "server",
    "hygon",
];
/// Words that name a line of models: a number may be unique without them.
const LINES: [&str; 14] = [
    "xeon", "epyc", "opteron", "bronze", "silver", "gold", "platinum", "phi", "atom", "dual", "quad", "six", "c86",
    "kaisheng",
];

/// The words that tell one model from another, in their order.
pub(super) fn words(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let before_clock = lower.split('@').next().unwrap_or_default();
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '+';
    let parts: Vec<&str> = before_clock.split(|letter| !is_part(letter)).filter(|part| !part.is_empty()).collect();
    let counts_cores = |index: usize| parts.get(index + 1) == Some(&"core") && parts[index].parse::<u32>().is_ok();
    let telling = (0..parts.len()).filter(|index| !NOISE.contains(&parts[*index]) && !counts_cores(*index));
    telling.map(|index| parts[index].to_owned()).collect()
}

/// Whether a word only names a line of models.
pub(super) fn is_line(word: &str) -> bool {
    LINES.contains(&word)
}

/// Whether the words of a name are those of a model number's pattern: each word of the pattern once, and nothing else
/// but names of lines. In a pattern `#` is a digit, a final `*` any letters or `+`.
pub(super) fn fits(words: &[String], pattern: &str) -> bool {
    let mut wanted: Vec<&str> = pattern.split(' ').collect();
    words.iter().all(|word| match wanted.iter().position(|part| word_fits(word, part)) {
        Some(at) => {
            wanted.remove(at);
            true
        }
        None => is_line(word) && !wanted.is_empty() || word == "xeon",
    }) && wanted.is_empty()
}

fn word_fits(word: &str, part: &str) -> bool {
    let (part, open) = part.strip_suffix('*').map_or((part, false), |part| (part, true));
    let mut letters = word.chars();
    for wanted in part.chars() {
        let fits = match (wanted, letters.next()) {
            ('#', Some(found)) => found.is_ascii_digit(),
            (wanted, found) => found == Some(wanted),
        };
        if !fits {
            return false;
        }
    }
    let mut rest = letters;
    if open { rest.all(|letter| letter.is_ascii_alphabetic() || letter == '+') } else { rest.next().is_none() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_what_tells_models_apart() {
        assert_eq!(words("Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz"), ["xeon", "gold", "6330"]);
        assert_eq!(words("AMD EPYC 7401P 24-Core Processor"), ["epyc", "7401p"]);
        assert_eq!(words("Intel(R) Xeon(R) CPU E5-2650 0 @ 2.00GHz"), ["xeon", "e5", "2650"]);
        assert_eq!(words("E5-2650 V3"), ["e5", "2650", "v3"]);
        assert_eq!(words("INTEL(R) XEON(R) GOLD 5520+"), ["xeon", "gold", "5520+"]);
    }

    #[test]
    fn patterns_of_model_numbers() {
        for (name, pattern, expected) in [
            ("Xeon Gold 6338N", "gold 63##*", true),
            ("Gold 6338", "gold 63##*", true),
            ("6338", "gold 63##*", false),
            ("Xeon Gold 6328HL", "gold 63##hl", true),
            ("Xeon Gold 6338 v9", "gold 63##*", false),
            ("Xeon E5-2650 v4", "e5 26##* v4", true),
            ("Xeon E5-2650", "e5 26##* v4", false),
            ("Xeon E5-2650 v4", "e5 26##*", false),
            ("EPYC 73F3", "epyc 7#f3", true),
            ("EPYC 73430", "epyc 7##3*", false),
            ("Opteron 6338 P", "opteron 63##*", false),
        ] {
            assert_eq!(fits(&words(name), pattern), expected, "{name} {pattern}");
        }
    }
}
