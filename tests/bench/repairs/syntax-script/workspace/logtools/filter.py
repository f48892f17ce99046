import sys

from logtools.levels import at_least, split_line


def filter_lines(lines, minimum):
    for line in lines:
        level, text = split_line(line)
        if at_least(level, minimum)
            yield level, text


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    minimum = argv[0] if argv else "warning"
    for level, text in filter_lines(sys.stdin, minimum):
        print(f"{level.upper():<8}{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
