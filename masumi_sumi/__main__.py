from masumi_sumi.cli import main

main()
