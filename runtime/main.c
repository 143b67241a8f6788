/* aril: an OCI container runtime. */
int main(void)
{
    return 0;
}
