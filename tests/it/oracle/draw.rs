//! Choices, drawn from a list of numbers that proptest makes and shrinks.
//!
//! Each choice takes the next number; zero is always the plainest choice, and so is a list that has
//! run out. Shrinking the numbers therefore makes a world plainer and never makes it invalid.

/// The choices that are still to be drawn.
pub(super) struct Draw<'a> {
    left: std::slice::Iter<'a, u16>,
}

impl<'a> Draw<'a> {
    pub(super) fn new(numbers: &'a [u16]) -> Self {
        Self { left: numbers.iter() }
    }

    /// A number below `bound`, which is not zero.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::from(self.left.next().copied().unwrap_or(0)) % bound
    }

    /// True in so many of a hundred cases; false is the plain choice.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    /// One of `choices`, the first being the plain one.
    pub(super) fn one_of<'b, T>(&mut self, choices: &'b [T]) -> &'b T {
        &choices[self.below(choices.len())]
    }

    /// A copy of one of `choices`.
    pub(super) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        self.one_of(choices).clone()
    }

    /// Each of `choices` with so many chances of a hundred.
    pub(super) fn some_of<T: Clone>(&mut self, choices: &[T], percent: usize) -> Vec<T> {
        choices.iter().filter(|_| self.chance(percent)).cloned().collect()
    }
}

/// The strings of a list of literals.
pub(super) fn strings(literals: &[&str]) -> Vec<String> {
    literals.iter().map(ToString::to_string).collect()
}
