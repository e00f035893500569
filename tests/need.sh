# Sourced by the suites: `need PROGRAM [PACKAGE]` installs a program from Debian where it is missing.

need() {
  local program=$1 package=${2:-$1} sudo=()
  ! command -v "$program" >/dev/null || return 0
  [ "$(id -u)" = 0 ] || sudo=(sudo -n)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
}
