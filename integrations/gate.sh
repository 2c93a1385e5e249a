#!/bin/sh
# Judges an image in CI with `boltseal gate` and leaves what the CI shows: annotations in the log, a summary, reports.
#
# Everything comes from the environment, so that no value is ever read as shell:
#
#   BOLTSEAL_TARGET        the image, as `boltseal gate` takes it (or the first argument)
#   BOLTSEAL_POLICY        policy file; else the one in the data folder, else the built-in one
#   BOLTSEAL_AGAINST       decide only about what is new against this image or report
#   BOLTSEAL_IGNORE_FILES  ignore files, one a line
#   BOLTSEAL_GRACE_DAYS    days of grace after a fix came out
#   BOLTSEAL_PLATFORM      which image of a multi-platform one
#   BOLTSEAL_FEEDS         `update` (the default), `none`, or files of feeds to import, one a line
#   BOLTSEAL_REPORTS       folder for reports [boltseal-reports]
#   BOLTSEAL_BINARY        the program [boltseal]
#
# Ends as `boltseal gate` does: 0 allowed, 1 denied, 2 usage, 3 could not decide, 4 internal fault. Only 0 is a yes.
set -u

boltseal=${BOLTSEAL_BINARY:-boltseal}
target=${BOLTSEAL_TARGET:-${1:-}}
reports=${BOLTSEAL_REPORTS:-boltseal-reports}
newline='
'

usage() {
  echo "boltseal: $1" >&2
  exit 2
}

[ -n "$target" ] || usage "no image: set BOLTSEAL_TARGET"
command -v "$boltseal" >/dev/null 2>&1 || usage "$boltseal is not on PATH: install it, or set BOLTSEAL_BINARY"
mkdir -p "$reports" || usage "cannot make the folder $reports: set BOLTSEAL_REPORTS"

if [ "${GITHUB_ACTIONS:-}" = true ]; then ci=github
elif [ -n "${TF_BUILD:-}" ]; then ci=azure
elif [ -n "${GITLAB_CI:-}" ]; then ci=gitlab
else ci=none
fi

# Reports of an earlier run must not be taken for those of this one.
rm -f "$reports"/boltseal.* "$reports"/annotations.txt "$reports"/gl-*-report.json

case ${BOLTSEAL_FEEDS:-update} in
  none) ;;
  update) "$boltseal" feeds update >&2 || echo "boltseal: not all feeds are current; the policy decides about that" >&2 ;;
  *)
    set --
    ifs=$IFS; IFS=$newline; set -f
    for file in $BOLTSEAL_FEEDS; do set -- "$@" "$file"; done
    set +f; IFS=$ifs
    "$boltseal" feeds import -- "$@" >&2 || exit $?
    ;;
esac

set -- gate --output "$reports/boltseal.txt" \
  --also "json=$reports/boltseal.json" --also "sarif=$reports/boltseal.sarif" \
  --also "junit=$reports/boltseal.xml" --summary "$reports/boltseal.md"
case $ci in
  github | azure) set -- "$@" --also "$ci=$reports/annotations.txt" ;;
  gitlab)
    set -- "$@" --also "gitlab=$reports/gl-container-scanning-report.json" \
      --also "gitlab-code-quality=$reports/gl-code-quality-report.json"
    ;;
esac
[ -z "${BOLTSEAL_POLICY:-}" ] || set -- "$@" --policy "$BOLTSEAL_POLICY"
[ -z "${BOLTSEAL_AGAINST:-}" ] || set -- "$@" --only-new --against "$BOLTSEAL_AGAINST"
[ -z "${BOLTSEAL_GRACE_DAYS:-}" ] || set -- "$@" --grace-days "$BOLTSEAL_GRACE_DAYS"
[ -z "${BOLTSEAL_PLATFORM:-}" ] || set -- "$@" --platform "$BOLTSEAL_PLATFORM"
ifs=$IFS; IFS=$newline; set -f
for file in ${BOLTSEAL_IGNORE_FILES:-}; do set -- "$@" --ignore-file "$file"; done
set +f; IFS=$ifs

"$boltseal" "$@" -- "$target"
code=$?

case $code in
  0) result=allowed ;;
  1) result=denied ;;
  3) result=undecided ;;
  *) result=failed ;;
esac

# The table holds texts of the image. Where the CI reads commands in the log, it must not find any there.
show() {
  [ -f "$reports/boltseal.txt" ] || return 0
  case $ci in
    github)
      token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
      echo "::stop-commands::$token"
      cat "$reports/boltseal.txt"
      echo "::$token::"
      ;;
    azure) sed -e 's/##/# #/g' -e 's/##/# #/g' "$reports/boltseal.txt" ;;
    *) cat "$reports/boltseal.txt" ;;
  esac
}

show
[ ! -f "$reports/annotations.txt" ] || cat "$reports/annotations.txt"
case $ci in
  github)
    [ -f "$reports/annotations.txt" ] || echo "::error title=Boltseal::no answer, exit code $code; the reason is in the log"
    if [ -n "${GITHUB_OUTPUT:-}" ]; then
      {
        echo "exit-code=$code"
        echo "result=$result"
        # Where there is no report, the outputs are empty.
        [ ! -f "$reports/boltseal.json" ] || echo "report=$reports/boltseal.json"
        [ ! -f "$reports/boltseal.sarif" ] || echo "sarif=$reports/boltseal.sarif"
      } >>"$GITHUB_OUTPUT"
    fi
    ;;
  azure)
    [ -f "$reports/annotations.txt" ] ||
      echo "##vso[task.logissue type=error]Boltseal: no answer, exit code $code; the reason is in the log"
    [ ! -f "$reports/boltseal.md" ] || echo "##vso[task.uploadsummary]$(cd "$reports" && pwd)/boltseal.md"
    echo "##vso[task.setvariable variable=result;isOutput=true]$result"
    ;;
esac
exit "$code"
