//! Characters that become path syntax when somebody behind the gate normalises Unicode.
//!
//! A table instead of a Unicode library: every character outside ASCII whose compatibility form
//! (NFKC) contains one of `. / \ ; % ? #` (compared with Unicode 14, and stable: Unicode never
//! changes a form that exists), and the three operators that Windows' "best fit" tables turn into
//! `/` and `\`. Other compatibility letters, such as full-width `ａ`, are names like any other.

/// Whether `letter` could become path syntax further on
pub(super) fn is_lookalike(letter: char) -> bool {
    matches!(
        letter,
        '\u{37E}'                                          // ; (its canonical form already)
            | '\u{2024}'..='\u{2026}'                      // . .. ...
            | '\u{2044}' | '\u{2215}' | '\u{2216}'         // best fit: / / \
            | '\u{2047}'..='\u{2049}'                      // ?? ?! !?
            | '\u{2100}' | '\u{2101}' | '\u{2105}' | '\u{2106}' // a/c a/s c/o c/u
            | '\u{2488}'..='\u{249B}'                      // 1. to 20.
            | '\u{33C2}' | '\u{33C7}' | '\u{33D8}'         // a.m. Co. p.m.
            | '\u{FE14}' | '\u{FE16}' | '\u{FE19}' | '\u{FE30}' // vertical ; ? ... ..
            | '\u{FE52}' | '\u{FE54}' | '\u{FE56}'         // small . ; ?
            | '\u{FE5F}' | '\u{FE68}' | '\u{FE6A}'         // small # \ %
            | '\u{FF03}' | '\u{FF05}' | '\u{FF0E}' | '\u{FF0F}' // full-width # % . /
            | '\u{FF1B}' | '\u{FF1F}' | '\u{FF3C}'         // full-width ; ? \
            | '\u{1F100}' // 0.
    )
}
