from bulkhooks.cli import main

main()
