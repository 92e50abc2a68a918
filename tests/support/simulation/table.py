def main(processes):
    return 0
