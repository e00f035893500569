//! How the signals of a token add up to its subject type: all of them count, and two that disagree
//! prove nothing.

use crate::policy::SubjectType;
use crate::token::TokenError;

/// What a token is that proves no subject type (`unproven`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unproven {
    /// Refused.
    #[default]
    Refuse,
    /// A user's. What contradicts itself is refused even so.
    User,
}

/// What a signal proves, or several together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// They disagree, or one cannot be read.
    Conflict,
    /// There was none.
    None,
    /// All that were there point to this subject type.
    Points(SubjectType),
}

impl Evidence {
    /// The signal for `subject_type`, where it is `given`.
    pub(super) fn of(subject_type: SubjectType, given: bool) -> Self {
        if given { Self::Points(subject_type) } else { Self::None }
    }

    /// The subject type that is proven.
    ///
    /// # Errors
    /// [`TokenError::SubjectTypeAmbiguous`] when none is.
    pub fn subject_type(self, unproven: Unproven) -> Result<SubjectType, TokenError> {
        match (self, unproven) {
            (Self::Points(subject_type), _) => Ok(subject_type),
            (Self::None, Unproven::User) => Ok(SubjectType::User),
            (Self::None, Unproven::Refuse) | (Self::Conflict, _) => {
                Err(TokenError::SubjectTypeAmbiguous)
            }
        }
    }

    /// What this and another prove together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (one, Self::None) | (Self::None, one) => one,
            (Self::Points(one), Self::Points(other)) if one == other => self,
            _ => Self::Conflict,
        }
    }
}

impl FromIterator<Self> for Evidence {
    fn from_iter<I: IntoIterator<Item = Self>>(signals: I) -> Self {
        signals.into_iter().fold(Self::None, Self::and)
    }
}
