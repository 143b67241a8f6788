/* Options of the sanitizers (configure --enable-sanitizers): what Criterion itself leaks is not ours. */

const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libcriterion\n";
}
