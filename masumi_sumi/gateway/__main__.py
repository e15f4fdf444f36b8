from masumi_sumi.gateway.start import main

if __name__ == "__main__":
    main()
