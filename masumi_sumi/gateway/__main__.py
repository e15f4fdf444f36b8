from masumi_sumi.gateway.panel import serve

if __name__ == "__main__":
    serve("masumi_sumi.gateway:create_app")
